import NIOCore
import SandpoolModel
import Synchronization

/// What the handle of an exec, its input and its outputs share: the connection, and the task that reads it. The last of
/// them that goes closes it.
final class ExecLine: Sendable {
    /// What the reading task fills in; apart, so that the task does not keep the line itself alive.
    private final class Ending: Sendable {
        let end = Mutex<ExecEnd?>(nil)
    }

    let stream: ExecStream
    let stdout = LiveOutput()
    let stderr = LiveOutput()
    private let ending = Ending()
    private let reader: Task<ExecEnd, any Error>

    init(_ stream: ExecStream) {
        self.stream = stream
        let (outputs, ending) = ([OutputStream.stdout: stdout, .stderr: stderr], ending)
        reader = Task {
            do {
                let end = try await Self.read(stream, into: outputs)
                ending.end.withLock { $0 = end }
                for output in outputs.values { output.finish(.success(())) }
                return end
            } catch {
                let failure = (error as? SandpoolError) ?? Self.unfinished
                for output in outputs.values { output.finish(.failure(failure)) }
                throw failure
            }
        }
    }

    deinit { reader.cancel() }

    private static let unfinished = SandpoolError(
        code: "bad_answer", message: "the command's stream ended without its result")

    /// How it ended, if that is known.
    var end: ExecEnd? { ending.end.withLock { $0 } }

    func wait() async throws -> ExecEnd { try await reader.value }

    func output(_ stream: OutputStream) -> LiveOutput { stream == .stdout ? stdout : stderr }

    private static func read(
        _ stream: ExecStream, into outputs: [OutputStream: LiveOutput]
    ) async throws -> ExecEnd {
        while let event = try await stream.next() {
            switch event {
            case .started: continue
            case .output(let output, let bytes): await outputs[output]?.add(bytes)
            case .ended(let end): return end
            }
        }
        throw unfinished
    }
}
