import Foundation
import SandpoolModel
import SandpoolTestSupport
import Testing

/// A coordinator on a file system of its own that is really full.
@Suite(.serialized) struct FullDiskTests {
    @Test func onAFullDiskNothingBeginsAndEverythingCanEnd() async throws {
        let scratch = try Scratch(name: "sandpool-full-\(UUID().uuidString)")
        defer { scratch.remove() }
        let coordinator = try await SmallDiskCoordinator(scratch)
        defer { coordinator.service.stop() }
        let jobs = try (0..<3).map { _ in try coordinator.check(["submit", "--", "true"]) }
        _ = try coordinator.check(["token", "create", "--role", "read", "leaked"])
        let tokens = try coordinator.check(["token", "ls"])
        let leaked = try #require(
            tokens.split(separator: "\n").first { $0.contains("leaked") }?.split(separator: " ").first)

        try coordinator.fill()
        for _ in 0..<2 {
            try coordinator.expectFull(["submit", "--", "true"])
            try coordinator.expectFull(["token", "create", "--role", "read", "another"])
        }
        // The reserve is for what ends work, again and again.
        for job in jobs.dropLast() {
            try coordinator.check(["cancel", job])
            #expect(try coordinator.job(job).state == .cancelled)
            try coordinator.fill()
            try coordinator.expectFull(["submit", "--", "true"])
        }
        try await coordinator.restart()
        try coordinator.fill()
        try coordinator.expectFull(["submit", "--", "true"])
        try coordinator.check(["token", "revoke", String(leaked)])
        #expect(try coordinator.job(jobs[2]).state == .queued)

        try coordinator.makeRoom()
        let later = try coordinator.check(["submit", "--", "true"])
        #expect(try coordinator.job(later).state == .queued)
        try coordinator.check(["cancel", later, jobs[2]])
    }
}

/// A coordinator whose data directory is a tmpfs in a mount namespace of its own, so that both are gone with it.
private final class SmallDiskCoordinator {
    private(set) var service: Service
    private let scratch: Scratch
    private var url = ""
    /// The mount namespace, which outlives the first process by this.
    private let namespace: Int32

    private var directory: String { scratch.path("disk") }
    /// The directory as this process sees it.
    private var inside: String { "/proc/\(service.process.processIdentifier)/root\(directory)" }

    init(_ scratch: Scratch) async throws {
        self.scratch = scratch
        let directory = scratch.path("disk")
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let mounting = "mount -t tmpfs -o size=96m tmpfs \"$0\" && exec \"$@\""
        service = try Self.start(
            scratch,
            ["/usr/bin/unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", mounting, directory])
        try await Self.listens(service)
        namespace = open("/proc/\(service.process.processIdentifier)/ns/mnt", O_RDONLY | O_CLOEXEC)
        url = address
    }

    deinit { close(namespace) }

    private static func start(_ scratch: Scratch, _ wrapper: [String]) throws -> Service {
        try Service(
            ["coordinator", "start", "--data-dir", scratch.path("disk/data"), "--listen", "127.0.0.1:0"],
            log: scratch.url("log"), wrapper: wrapper)
    }

    private static func listens(_ service: Service) async throws {
        try await eventually("the coordinator listens") {
            guard service.process.isRunning else { throw Failure(text: service.logText) }
            return service.logText.contains("; admin token in ")
        }
    }

    private var address: String {
        let line = service.logText.split(separator: "\n").first { $0.contains("; admin token in ") } ?? ""
        return String(line.split(separator: " ").first { $0.hasPrefix("http://") }?.dropLast() ?? "")
    }

    func restart() async throws {
        service.stop()
        service = try Self.start(scratch, ["/usr/bin/nsenter", "--mount=/proc/\(getpid())/fd/\(namespace)"])
        try await Self.listens(service)
        url = address
    }

    private func run(_ arguments: [String]) throws -> Command.Result {
        try Command.run(
            Programs.sandpool, arguments,
            environment: ["SANDPOOL_URL": url, "SANDPOOL_TOKEN_FILE": inside + "/data/admin.token"])
    }

    /// Runs a command that has to succeed; what it prints.
    @discardableResult
    func check(_ arguments: [String]) throws -> String {
        let result = try run(arguments)
        guard result.code == 0 else { throw Failure(text: "\(arguments): \(result.code) \(result.errorText)") }
        return result.text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    func expectFull(_ arguments: [String]) throws {
        let result = try run(arguments)
        #expect(result.code == 125, "\(arguments): \(result.text)")
        #expect(result.errorText.contains("disk is full; free disk space"), "\(result.errorText)")
    }

    func job(_ id: String) throws -> Job {
        try JSONDecoder().decode(Job.self, from: Data(try check(["show", "--json", id]).utf8))
    }

    /// Leaves not one block.
    func fill() throws {
        let file = open(inside + "/filler", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Failure(text: "filler: \(errno)") }
        defer { close(file) }
        let zeros = [UInt8](repeating: 0, count: 1 << 20)
        var size = zeros.count
        while size > 0 { if write(file, zeros, size) <= 0 { size /= 2 } }
    }

    func makeRoom() throws { try FileManager.default.removeItem(atPath: inside + "/filler") }
}
