import ArgumentParser
import Sandpool
import SandpoolModel

/// Files that go in and come out.
struct FileOptions: ParsableArguments {
    @Option(
        help: .init(
            "Lay a file or directory into the sandbox. What the command changes there is discarded.",
            valueName: "local:remote"),
        transform: { try PathPair(parsing: $0, remoteFirst: false) })
    var mount: [PathPair] = []
    @Option(
        help: .init("Fetch a file or directory at the end, also after a failure.", valueName: "remote:local"),
        transform: { try PathPair(parsing: $0, remoteFirst: true) })
    var download: [PathPair] = []

    /// Uploads what is mounted and notes what is fetched.
    func apply(to spec: inout JobSpec, in pool: Pool) async throws {
        // What a job leaves behind must have somewhere to go before it runs.
        for pair in download { try Pool.checkDownloadPlace(pair.local) }
        spec.downloads = download.map(\.remote)
        for pair in mount {
            spec.mounts.append(try await pool.upload(pair.local, to: pair.remote))
        }
    }

    /// Fetches what the command left behind.
    func fetch(from job: Job, in pool: Pool) async throws {
        guard !download.isEmpty else { return }
        try await pool.download(from: job.id.text, download.map { ($0.remote, $0.local) })
    }
}

/// Two sides of `LOCAL:REMOTE`. The remote side is absolute, so the colon before its slash separates them.
struct PathPair: Hashable, Sendable {
    let local: String
    let remote: String

    init(parsing text: String, remoteFirst: Bool) throws {
        let separator = remoteFirst ? text.firstIndex(of: ":") : text.lastIndex(of: ":")
        guard let separator, separator != text.startIndex, text.index(after: separator) != text.endIndex else {
            throw ValidationError("write \(remoteFirst ? "REMOTE:LOCAL" : "LOCAL:REMOTE")")
        }
        let left = String(text[..<separator])
        let right = String(text[text.index(after: separator)...])
        local = remoteFirst ? right : left
        remote = try SandboxPath.normalizeForFiles(remoteFirst ? left : right)
    }
}
