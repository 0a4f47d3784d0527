import Glibc
import NIOCore
import SandpoolAPI

extension Pool {
    /// Checks that something can be put at a local path.
    public static func checkDownloadPlace(_ local: String) throws(SandpoolError) {
        let directory = LocalPath.split(local).directory
        guard access(directory, W_OK | X_OK) == 0 else {
            throw SandpoolError(
                code: "usage", message: "download: cannot write into \(directory): \(String(cString: strerror(errno)))",
                hint: "make it a directory that you can write to, or name another place")
        }
    }

    /// Fetches what a finished job's `downloads` kept.
    ///
    /// - Parameter pairs: absolute paths in the sandbox, and where each goes here. A local directory that exists
    ///   receives it under its own name, as with cp(1).
    public func download(from reference: String, _ pairs: [(remote: String, local: String)]) async throws {
        let exchange = try await http.open(.GET, Routes.job(Query.escape(reference)) + "/downloads")
        defer { exchange.close() }
        try await http.accept(exchange)
        let archive = try TemporaryFile()
        while true {
            let pieces = try await exchange.next()
            if pieces.isEmpty { break }
            for piece in pieces { try archive.write(piece) }
        }
        let staging = try StagingDirectory(beside: pairs.first?.local ?? ".")
        defer { staging.remove() }
        try await Tar.unpack(archive, into: staging.path)
        for pair in pairs { try staging.take(pair.remote, to: pair.local) }
    }
}
