import Dispatch
import Glibc
import LinuxSystem
import NIOConcurrencyHelpers

/// A program that builds something: its output goes to a file, its whole process group has a time limit, and
/// its last words are the error when it fails.
struct BuildCommand: Sendable {
    private let arguments: [String]
    private let environment: [String]
    /// The first of the host's ids to map, where the program is to be root of a user namespace.
    private let firstID: UInt32?

    private static let tailBytes = 4_096
    private static let tailLines = 5
    private static let lookEveryMs: Int32 = 250

    static func plain(_ arguments: [String], _ environment: [String]) -> BuildCommand {
        BuildCommand(arguments: arguments, environment: environment, firstID: nil)
    }

    /// Runs the program as root of a new user namespace. Only for root: the map is written from outside.
    ///
    /// unshare(1) has to keep its capabilities over execve(2), because there is no map yet and an unmapped user
    /// loses them (user_namespaces(7)); setpriv(1) then takes the mapped root.
    static func inUserNamespace(_ arguments: [String], _ environment: [String], firstID: UInt32) -> BuildCommand {
        let script =
            "echo >&3; exec 3>&-; read -r go || exit 1; "
            + "exec setpriv --reuid 0 --regid 0 --clear-groups \"$@\" </dev/null"
        return BuildCommand(
            arguments: ["/usr/bin/unshare", "--user", "--keep-caps", "/bin/sh", "-c", script, "sh"] + arguments,
            environment: environment, firstID: firstID)
    }

    /// Runs to the end.
    ///
    /// - Throws: `WorkerError` with the last lines of standard error; `CancellationError` when cancelled.
    func run(output: FileDescriptor, timeout: Duration) async throws {
        let isCancelled = NIOLockedValueBox(false)
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                DispatchQueue.global().async {
                    continuation.resume(
                        with: Result { try runWaiting(output, timeout) { isCancelled.withLockedValue { $0 } } })
                }
            }
        } onCancel: {
            isCancelled.withLockedValue { $0 = true }
        }
    }

    private func runWaiting(_ output: FileDescriptor, _ timeout: Duration, _ isCancelled: () -> Bool) throws {
        let (pid, errors) = try start(output)
        let deadline = BoottimeClock.milliseconds() + UInt64(clamping: timeout.components.seconds * 1_000)
        var words: [UInt8] = []
        var end: (any Error)?
        var status: Int32 = 0
        // Only this thread reaps, so the number is the program's until `waitpid` has answered.
        while try systemCall("waitpid", { waitpid(pid, &status, WNOHANG) }) == 0 {
            Self.readTail(errors, into: &words)
            if end == nil, isCancelled() { end = CancellationError() }
            if end == nil, BoottimeClock.milliseconds() > deadline {
                end = WorkerError("it took longer than \(timeout.components.seconds) s: \(Self.lastLines(words))")
            }
            if end != nil { kill(-pid, SIGKILL) }
        }
        Self.readTail(errors, into: &words)
        if let end { throw end }
        guard status == 0 else { throw WorkerError("it failed: \(Self.lastLines(words))") }
    }

    /// Starts the program; our copies of its ends of the pipes are closed on return.
    private func start(_ output: FileDescriptor) throws -> (pid: pid_t, errors: FileDescriptor) {
        let errors = try Pipe()
        try errors.readEnd.setNonBlocking()
        guard let firstID else {
            let pid = try ProcessSpawn.start(
                arguments, environment: environment, descriptors: [(output.raw, 1), (errors.writeEnd.raw, 2)])
            return (pid, errors.readEnd)
        }
        let ready = try Pipe()
        let go = try Pipe()
        let pid = try ProcessSpawn.start(
            arguments, environment: environment,
            descriptors: [(go.readEnd.raw, 0), (output.raw, 1), (errors.writeEnd.raw, 2), (ready.writeEnd.raw, 3)])
        do {
            try Self.map(pid, firstID, ready: ready.readEnd, go: go.writeEnd)
        } catch {
            kill(-pid, SIGKILL)
            waitpid(pid, nil, 0)
            throw error
        }
        return (pid, errors.readEnd)
    }

    private static func map(
        _ pid: pid_t, _ firstID: UInt32, ready: FileDescriptor, go: FileDescriptor
    ) throws {
        var wait = pollfd(fd: ready.raw, events: Int16(POLLIN), revents: 0)
        let isReady = try systemCall("poll") { poll(&wait, 1, 10_000) } == 1
        guard isReady else { throw WorkerError("unshare did not make a user namespace; are they allowed here?") }
        let process = try FileDescriptor.open("/proc/\(pid)", O_RDONLY | O_DIRECTORY)
        for name in ["gid_map", "uid_map"] { try process.write("0 \(firstID) \(BuildIDs.count)\n", to: name) }
        try go.writeAll(Array("go\n".utf8))
    }

    /// Waits a moment for more and keeps the end of it.
    private static func readTail(_ errors: FileDescriptor, into words: inout [UInt8]) {
        var wait = pollfd(fd: errors.raw, events: Int16(POLLIN), revents: 0)
        guard poll(&wait, 1, lookEveryMs) > 0 else { return }
        var buffer = [UInt8](repeating: 0, count: tailBytes)
        let count = read(errors.raw, &buffer, buffer.count)
        // The end of the pipe is ready at once, for ever; the program itself is not over yet.
        guard count > 0 else { return _ = poll(nil, 0, lookEveryMs) }
        words = (words + buffer[..<count]).suffix(tailBytes)
    }

    private static func lastLines(_ words: [UInt8]) -> String {
        let lines = String(decoding: words, as: UTF8.self).split(whereSeparator: \.isNewline).suffix(tailLines)
        return lines.isEmpty ? "it said nothing" : lines.joined(separator: " | ")
    }
}
