import Glibc
import NIOCore
import Sandpool
import SandpoolModel

/// Follows a command in a job's sandbox to its end, as `JobFollower` follows a job. A reader of its output that is gone
/// ends it, since the command ends with its connection.
struct ExecFollower: Sendable {
    /// Opened.
    let stream: ExecStream
    /// Whether stdin is passed on.
    let passesInput: Bool

    /// How the command ended, and whether it had begun.
    func follow() async throws -> (end: ExecEnd, hasStarted: Bool) {
        let relay = SignalRelay(try SignalPipe())
        return try await withThrowingTaskGroup(of: Void.self, returning: (ExecEnd, Bool).self) { group in
            group.addTask { await stream.forward(relay) }
            if passesInput { group.addTask { try await stream.forwardStandardInput() } }
            defer {
                relay.stop()
                group.cancelAll()
            }
            do {
                return try await forwardOutput()
            } catch {
                // The group waits for who writes, and nobody would take any more of it.
                await stream.close()
                throw error
            }
        }
    }

    private func forwardOutput() async throws -> (ExecEnd, Bool) {
        let sink = OutputSink()
        var hasStarted = false
        while let event = try await stream.next() {
            switch event {
            case .started: hasStarted = true
            case .output(let output, let bytes):
                try await sink.write(bytes, to: output == .stdout ? STDOUT_FILENO : STDERR_FILENO)
            case .ended(let end): return (end, hasStarted)
            }
        }
        throw SandpoolError(code: "bad_answer", message: "the command's stream ended without its result")
    }
}
