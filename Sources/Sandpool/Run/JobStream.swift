import NIOCore
import SandpoolAPI
import SandpoolModel

/// One job followed live on one connection: its output and its states come in, standard input and signals go
/// out. A lost connection is made again and goes on at the byte where it stood.
///
/// One task calls `next` until it returns `nil`; others may write and signal meanwhile.
public actor JobStream: CommandStream {
    public enum Event: Sendable {
        /// The job is stored.
        case created(JobID, name: String?)
        /// The job's state changed; the note explains a wait.
        case state(JobState, note: String?)
        case output(OutputStream, ByteBuffer)
        /// The connection was lost and is being made again.
        case reconnecting(SandpoolError)
        /// The end; all output came before.
        case finished(Job)
    }

    private let http: HTTPClient
    private let start: RunRequest
    private var exchange: Exchange?
    private var decoder = FrameDecoder()
    private var hasConnected = false
    private var job: JobID?
    /// The attempt whose output is read, once it is known.
    private var attempt: AttemptID?
    private var offsets: [OutputStreamCode: Int64]
    /// Where an earlier process was with the job that the spec's key may name.
    private let earlier: JobPosition?
    private(set) var isFinished = false
    /// Whether the connection was lost and no answer came since.
    private var isAway = false
    private var backoff: Backoff
    private var pending: [RunRequest] = []

    var input = InputWindow()
    var inputWaiters: [CheckedContinuation<Void, Never>] = []

    /// A stream that submits a job and follows it.
    ///
    /// - Parameter earlier: where an earlier process was with a job of the same idempotency key. If the key still
    ///   names that job, the stream goes on from there.
    public init(_ pool: Pool, submitting spec: JobSpec, goingOnFrom earlier: JobPosition? = nil) {
        self.init(pool, submitting: spec, goingOnFrom: earlier, patience: Backoff.patience)
    }

    /// - Parameter patience: for how long a lost coordinator is looked for.
    init(_ pool: Pool, submitting spec: JobSpec, goingOnFrom earlier: JobPosition? = nil, patience: Duration) {
        http = pool.http
        backoff = Backoff(patience: patience)
        start = .submit(spec)
        offsets = [.stdout: 0, .stderr: 0]
        self.earlier = earlier
    }

    /// A stream that follows a job that exists.
    ///
    /// - Parameter stdout: the first byte of each stream that is wanted; `Int64.max` for none.
    public init(_ pool: Pool, following job: JobID, stdout: Int64 = 0, stderr: Int64 = 0) {
        http = pool.http
        backoff = Backoff()
        self.job = job
        start = .follow(job: job.text, stdout: stdout, stderr: stderr)
        offsets = [.stdout: stdout, .stderr: stderr]
        earlier = nil
    }

    /// A stream that goes on with a job that another connection of this process submitted and followed so far.
    init(_ pool: Pool, resuming position: JobPosition) {
        http = pool.http
        backoff = Backoff()
        job = position.job
        attempt = position.attempt
        start = .follow(
            job: position.job.text, stdout: position.stdout, stderr: position.stderr, attempt: position.attempt)
        offsets = [.stdout: position.stdout, .stderr: position.stderr]
        earlier = nil
        hasConnected = true
    }

    deinit { exchange?.close() }

    /// What was read so far, once the job is known.
    public var position: JobPosition? {
        job.map {
            JobPosition(job: $0, attempt: attempt, stdout: offsets[.stdout] ?? 0, stderr: offsets[.stderr] ?? 0)
        }
    }

    /// The next thing that happened; `nil` after `finished`.
    public func next() async throws -> Event? {
        while !isFinished {
            do {
                let exchange = try await connected()
                while let frame = try decoder.next() {
                    let event = try handle(frame)
                    isAway = false
                    backoff.reset()
                    if let event { return event }
                }
                let arrived = try await exchange.next()
                guard !arrived.isEmpty else { throw SandpoolError.disconnected(http.connector.endpoint) }
                for bytes in arrived { decoder.append(bytes) }
            } catch let error as SandpoolError where error.isConnectionLoss && canReconnect {
                disconnect()
                try await pause(after: error)
                if isAway { continue }
                isAway = true
                return .reconnecting(error)
            } catch {
                end()
                throw (error as? SandpoolError) ?? .unreadable(http.connector.endpoint)
            }
        }
        return nil
    }

    /// Lets some time pass before the next try, or gives up and says how the job can be taken up again.
    private func pause(after error: SandpoolError) async throws {
        let delay: Duration
        do throws(SandpoolError) {
            delay = try backoff.delay(after: error)
        } catch {
            end()
            guard let job else { throw error }
            throw SandpoolError.left(job, after: error)
        }
        try await Task.sleep(for: delay)
    }

    /// Before the job is known to exist, asking again could make a second one, unless the spec carries a key.
    private var canReconnect: Bool {
        guard hasConnected else { return false }
        if case .submit(let spec) = start, job == nil { return spec.idempotencyKey != nil }
        return true
    }

    private func connected() async throws -> Exchange {
        if let exchange { return exchange }
        let first: RunRequest
        if let job {
            first = .follow(
                job: job.text, stdout: offsets[.stdout] ?? 0, stderr: offsets[.stderr] ?? 0, attempt: attempt)
        } else {
            first = start
        }
        var bytes = ByteBuffer()
        do {
            try Frame.message(first).encode(into: &bytes)
        } catch FrameError.payloadTooLong(let count) {
            throw SandpoolError.tooLarge(count)
        }
        let opened = try await http.open(
            .POST, Routes.run, contentType: WorkerSession.contentType, first: bytes, isWhole: false)
        hasConnected = true
        decoder = FrameDecoder()
        try await http.accept(opened, within: HTTPClient.streamPatience)
        exchange = opened
        try resend()
        return opened
    }

    /// Sends what the connection before may not have delivered.
    private func resend() throws {
        for request in pending { try send(.message(request)) }
        pending = []
        guard job != nil else { return }
        try sendUnacknowledgedInput()
    }

    private func handle(_ frame: Frame) throws -> Event? {
        switch frame {
        case .output(let output): return takeOutput(output)
        case .input: return nil
        case .json: break
        }
        switch try frame.message(as: RunEvent.self) {
        case .created(let id, let name):
            let isNew = job == nil
            job = id
            guard isNew else { return nil }
            if let earlier, earlier.job == id, earlier.hasOutput {
                go(on: earlier)
            } else {
                try sendUnacknowledgedInput()
            }
            return .created(id, name: name)
        case .state(let state, let note, let attempt):
            if let attempt { noteAttempt(attempt) }
            return .state(state, note: note)
        case .inputConsumed(let offset):
            input.acknowledge(upTo: offset)
            wakeWriters()
            return nil
        case .finished(let job):
            end()
            return .finished(job)
        case .failed(let error):
            throw SandpoolError(error)
        }
    }

    /// This connection brings everything from the first byte on; the next one begins where the earlier process was.
    private func go(on earlier: JobPosition) {
        attempt = earlier.attempt
        offsets = [.stdout: earlier.stdout, .stderr: earlier.stderr]
        disconnect()
    }

    /// The output of an attempt that takes another one's place begins at 0.
    private func noteAttempt(_ next: AttemptID) {
        if attempt != nil, attempt != next { offsets = offsets.mapValues { $0 == .max ? .max : 0 } }
        attempt = next
    }

    /// What lies before the offset that was reached is a repetition.
    private func takeOutput(_ frame: OutputFrame) -> Event? {
        var bytes = frame.bytes
        let reached = offsets[frame.stream] ?? 0
        guard reached <= frame.offset + Int64(bytes.readableBytes) else { return nil }
        bytes.moveReaderIndex(forwardBy: Int(max(0, reached - frame.offset)))
        guard bytes.readableBytes > 0 else { return nil }
        offsets[frame.stream] = max(reached, frame.offset) + Int64(bytes.readableBytes)
        return .output(frame.stream == .stdout ? .stdout : .stderr, bytes)
    }

    private func disconnect() {
        exchange?.close()
        exchange = nil
    }

    /// Leaves the job to itself: nothing more comes, and who waits to write goes on.
    public func close() { end() }

    private func end() {
        isFinished = true
        disconnect()
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

// MARK: - Signals

extension JobStream {
    /// Sends a signal to the command.
    public func signal(_ signal: Int) throws { try request(.signal(signal)) }

    /// Ends the job: SIGTERM, grace, kill.
    public func cancel() throws { try request(.cancel) }

    /// Lets the job go on whatever its `onDisconnect` says.
    public func detach() throws { try request(.detach) }

    private func request(_ request: RunRequest) throws {
        guard !isFinished else { return }
        if exchange == nil {
            // Sent by whoever makes the connection; a user presses keys few times.
            if pending.count < 16 { pending.append(request) }
        } else {
            try send(.message(request))
        }
    }
}

// MARK: - Standard input

extension JobStream: InputFeeder {
    /// Writes to the command's standard input; returns when there is room for more.
    ///
    /// - Returns: `false` when the job has ended and nobody reads any more.
    @discardableResult
    public func write(_ bytes: ByteBuffer) async throws -> Bool { try await feed(bytes) }

    /// Waits until the command took everything that was written.
    public func drain() async { await drained() }

    /// Ends standard input.
    public func finishInput() throws { try feedEnd() }

    @discardableResult
    func sendInput(_ offset: Int64, _ bytes: ByteBuffer, isLast: Bool) throws -> EventLoopFuture<Void>? {
        // Without the job's id, nothing can be addressed; `sendUnacknowledgedInput` follows once it is there.
        guard let job else { return nil }
        return try send(.input(InputFrame(id: job.text, epoch: 0, offset: offset, isLast: isLast, bytes: bytes)))
    }
}
