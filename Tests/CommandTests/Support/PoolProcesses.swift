import FoundationEssentials
import Glibc
import LinuxSystem
import SandpoolModel
import SandpoolTestSupport

/// A coordinator, and a worker where one is wanted, as the processes that users start.
final class PoolProcesses {
    let directory: TemporaryDirectory
    private(set) var coordinator: RunningProgram?
    private var worker: RunningProgram?
    private var port = 0
    private let options: [String]

    private init(_ options: [String]) throws {
        directory = try TemporaryDirectory()
        // The worker's own user passes through it.
        chmod(directory.path, 0o755)
        self.options = options
    }

    /// Runs `body` with a pool that is gone afterwards.
    ///
    /// - Parameter options: more options of `coordinator start`.
    static func with(
        worker: Bool = false, options: [String] = [], _ body: (PoolProcesses) async throws -> Void
    ) async throws {
        let pool = try PoolProcesses(options)
        try await pool.startCoordinator()
        if worker { try await pool.startWorker() }
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(pool))
        } catch {
            result = .failure(error)
        }
        for program in [pool.worker, pool.coordinator] {
            program?.signal(SIGTERM)
            _ = try? await program?.end()
        }
        for worker in ["worker", "other"] { LauncherTraces.end("\(pool.directory.path)/\(worker)/launcher") }
        try result.get()
    }

    var data: String { "\(directory.path)/coordinator" }
    var url: String { "http://127.0.0.1:\(port)" }
    var environment: [String: String] {
        [
            "SANDPOOL_URL": url, "SANDPOOL_TOKEN_FILE": "\(data)/admin.token",
            "SANDPOOL_DATA_DIR": "\(directory.path)/data",
        ]
    }

    /// Starts it, on the port that it had before, if any.
    func startCoordinator() async throws {
        let program = try RunningProgram(
            [Program.path, "coordinator", "start", "--data-dir", data, "--listen", "127.0.0.1:\(port)"] + options)
        coordinator = program
        let words = "sandpool: listening on http://127.0.0.1:"
        try await eventually("the coordinator listens") {
            guard program.isRunning else { throw NeverCame(description: program.stderr) }
            return program.stderr.contains(words)
        }
        let rest = program.stderr.ranges(of: words).first.map { program.stderr[$0.upperBound...] } ?? ""
        port = Int(rest.prefix { $0.isNumber }) ?? 0
    }

    /// Ends the coordinator with a signal, and returns when it is gone.
    func endCoordinator(by signal: Int32) async throws {
        coordinator?.signal(signal)
        _ = try await coordinator?.end()
    }

    /// Ends the worker in order, and returns how it ended.
    func stopWorker() async throws -> Program.Result? {
        worker?.signal(SIGTERM)
        return try await worker?.end()
    }

    /// Ends the worker as a crash does.
    func killWorker() async throws {
        worker?.signal(SIGKILL)
        _ = try await worker?.end()
    }

    /// Whether a launcher listens for this worker.
    var hasLauncher: Bool { (try? SeqPacketSocket.connect(path: "\(directory.path)/worker/launcher.sock")) != nil }

    /// Whether the worker has let go of every attempt. A file that begins with an empty line belongs to none.
    func workerHoldsNothing() throws -> Bool {
        let records = "\(directory.path)/worker/worker/attempts"
        return try DirectoryListing.names(in: records).allSatisfy { name in
            FileManager.default.contents(atPath: "\(records)/\(name)")?.first == UInt8(ascii: "\n")
        }
    }

    func startWorker() async throws {
        let token = "\(directory.path)/worker.token"
        if access(token, F_OK) != 0 {
            try Data(check(["token", "create", "--role", "worker", "w"]).utf8).write(to: URL(filePath: token))
        }
        let program = try RunningProgram([
            Program.path, "worker", "start", "--coordinator", url, "--data-dir", "\(directory.path)/worker",
            "--token-file", token, "--cpus", "2", "--memory", "4GiB", "--disk", "4GiB",
        ])
        worker = program
        try await eventually("the worker is connected") {
            guard program.isRunning else { throw NeverCame(description: program.stderr) }
            return try check(["worker", "ls", "--json"]).contains("\"connected\"")
        }
    }

    func run(_ arguments: [String], environment extra: [String: String] = [:]) throws -> Program.Result {
        try Program.run(arguments, environment: environment.merging(extra) { $1 })
    }

    func start(
        _ arguments: [String], stdin: FileDescriptor? = nil, terminal: PseudoTerminal? = nil
    ) throws -> RunningProgram {
        try RunningProgram([Program.path] + arguments, environment: environment, stdin: stdin, terminal: terminal)
    }

    /// What a command line that has to succeed prints.
    @discardableResult
    func check(_ arguments: [String]) throws -> String {
        let result = try run(arguments)
        guard result.status == 0 else { throw NeverCame(description: "\(arguments): \(result.stderr)") }
        return result.stdout
    }

    /// Every job, finished ones too.
    func jobs() throws -> [Job] {
        try check(["ls", "-a", "--json"]).split(separator: "\n").map {
            try JSONDecoder().decode(Job.self, from: Data($0.utf8))
        }
    }
}
