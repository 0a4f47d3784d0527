import NIOCore
import SandpoolModel

/// The standard input of a command.
///
/// Writing waits while more is on its way than the command has taken room for. Everything that was written
/// reaches the command once and in order, over lost connections too, unless it is a `SandboxProcess`.
public actor SandboxInput {
    /// The stream that carries the input, and the task that takes its acknowledgements where nobody else does.
    private typealias Connection = (stream: any CommandStream, reader: Task<Void, any Error>?)

    private let connect: @Sendable () -> Connection
    private var connection: Connection?

    init(_ job: JobID, in pool: Pool) {
        connect = {
            let stream = JobStream(pool, following: job, stdout: .max, stderr: .max)
            return (stream, Task { while try await stream.next() != nil {} })
        }
    }

    init(_ line: ExecLine) { connect = { (line.stream, nil) } }

    deinit { connection?.reader?.cancel() }

    /// Writes bytes; returns when there is room for more.
    ///
    /// - Throws: `SandpoolError` with the code `input_closed` where the command has ended.
    public func write(_ bytes: some Sequence<UInt8> & Sendable) async throws {
        guard try await opened().write(ByteBuffer(bytes: bytes)) else {
            throw SandpoolError(code: "input_closed", message: "the command has ended and reads no more input")
        }
    }

    public func write(_ text: String) async throws { try await write(Array(text.utf8)) }

    /// Waits until the command took everything that was written, or ended.
    public func drain() async throws { await opened().drain() }

    /// Ends the input: the command reads an end of file after what was written.
    public func finish() async throws { try await opened().finishInput() }

    /// Connects with the first use, and for as long as one of this handle's users writes.
    private func opened() -> any CommandStream {
        if let connection { return connection.stream }
        let made = connect()
        connection = made
        return made.stream
    }
}
