import NIOCore
import SandpoolAPI
import SandpoolModel

/// A further command in the sandbox of a job that runs, on a connection of its own: its output comes in, standard
/// input and signals go out. The command ends with the connection, so a lost one is not made again.
///
/// One task calls `open` and then `next` until it returns `nil`; others may write and signal meanwhile. What is not
/// read waits on the worker.
public actor ExecStream: CommandStream {
    public enum Event: Sendable {
        /// The command runs.
        case started
        case output(OutputStream, ByteBuffer)
        /// The end; all output came before.
        case ended(ExecEnd)
    }

    private let http: HTTPClient
    private let target: String
    private let spec: ExecSpec
    private var exchange: Exchange?
    private var decoder = FrameDecoder()
    private var id: ExecID?
    private(set) var isFinished = false

    var input = InputWindow()
    var inputWaiters: [CheckedContinuation<Void, Never>] = []

    /// - Parameter job: an id, a name, the unique end of an id, or `@last`.
    public init(_ pool: Pool, job: String, _ spec: ExecSpec) {
        http = pool.http
        target = Routes.exec(Query.escape(job))
        self.spec = spec
    }

    deinit { exchange?.close() }

    /// Asks for the command.
    ///
    /// - Throws: `SandpoolError` with the status of the refusal: 404, 409 where the job does not run, 422.
    public func open() async throws {
        var first = ByteBuffer()
        do {
            try Frame.message(spec).encode(into: &first)
        } catch FrameError.payloadTooLong(let count) {
            throw SandpoolError.tooLarge(count)
        }
        let opened = try await http.open(
            .POST, target, contentType: WorkerSession.contentType, first: first, isWhole: false)
        do {
            try await http.accept(opened, within: HTTPClient.streamPatience)
        } catch {
            opened.close()
            throw error
        }
        exchange = opened
    }

    /// The next thing that happened; `nil` after `ended`.
    public func next() async throws -> Event? {
        while !isFinished, let exchange {
            do {
                while let frame = try decoder.next() {
                    if let event = try handle(frame) { return event }
                }
                let arrived = try await exchange.next()
                guard !arrived.isEmpty else { throw SandpoolError.disconnected(http.connector.endpoint) }
                for bytes in arrived { decoder.append(bytes) }
            } catch {
                end()
                throw (error as? SandpoolError) ?? .unreadable(http.connector.endpoint)
            }
        }
        return nil
    }

    private func handle(_ frame: Frame) throws -> Event? {
        switch frame {
        case .output(let output): return .output(output.stream == .stdout ? .stdout : .stderr, output.bytes)
        case .input: return nil
        case .json: break
        }
        switch try frame.message(as: ExecEvent.self) {
        case .created(let id, _):
            self.id = id
            try sendUnacknowledgedInput()
            return nil
        case .started: return .started
        case .inputConsumed(let offset):
            input.acknowledge(upTo: offset)
            wakeWriters()
            return nil
        case .ended(let how):
            end()
            return .ended(how)
        case .failed(let error): throw SandpoolError(error)
        }
    }

    /// Gives the command up: its connection ends, and with it the command. Who waits to write goes on.
    public func close() { end() }

    private func end() {
        isFinished = true
        exchange?.close()
        exchange = nil
        wakeWriters()
    }

    @discardableResult
    private func send(_ frame: Frame) throws -> EventLoopFuture<Void>? {
        guard let exchange else { return nil }
        var bytes = exchange.allocator.buffer(capacity: 64)
        try frame.encode(into: &bytes)
        return exchange.send(bytes)
    }
}

// MARK: - Signals and standard input

extension ExecStream: InputFeeder {
    public func signal(_ signal: Int) throws { try send(.message(ExecControl.signal(signal))) }

    public func cancel() throws { try send(.message(ExecControl.cancel)) }

    @discardableResult
    public func write(_ bytes: ByteBuffer) async throws -> Bool { try await feed(bytes) }

    public func drain() async { await drained() }

    public func finishInput() throws { try feedEnd() }

    @discardableResult
    func sendInput(_ offset: Int64, _ bytes: ByteBuffer, isLast: Bool) throws -> EventLoopFuture<Void>? {
        // Without the exec's id, nothing can be addressed; `sendUnacknowledgedInput` follows once it is there.
        guard let id else { return nil }
        return try send(.input(InputFrame(id: id.text, epoch: 0, offset: offset, isLast: isLast, bytes: bytes)))
    }
}
