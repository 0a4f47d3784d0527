import NIOCore
import SandpoolAPI
import SandpoolModel
import Synchronization

/// One further command in a job's sandbox, between the client that asked for it and the worker that runs it.
///
/// Nothing of it is stored. What waits for the client is bounded by the window that the worker keeps to: it moves
/// only when the client's connection took the bytes. So a reader that stalls costs that much and holds up nobody else.
final class Exec: Sendable {
    let id: ExecID
    let job: JobID
    let lease: AttemptLease
    /// The worker's session that was asked. Another one of the same worker knows nothing of it.
    let session: WorkerLink
    /// Most bytes of a stream, its mark included.
    private let outputLimit: Int64
    /// Encoded bytes of the request to the worker.
    let requestBytes: Int

    enum Item: Hashable, Sendable {
        case event(ExecEvent)
        case output(OutputStreamCode, offset: Int64, ByteBuffer)
    }

    /// How far the client took each stream.
    struct Offsets: Hashable, Sendable {
        var stdout: Int64 = 0
        var stderr: Int64 = 0
    }

    private struct Stream {
        /// Where the worker's next byte stands.
        var received: Int64 = 0
        var taken: Int64 = 0
        /// Bytes that wait for the client; in one buffer, so that the smallest frames cost no more than their bytes.
        var waiting = ByteBuffer()

        /// - Parameter isWanted: otherwise it was under way when the worker learnt that it is not.
        mutating func add(_ bytes: ByteBuffer, isWanted: Bool) {
            received += Int64(bytes.readableBytes)
            guard isWanted else { return }
            // Copied, as a slice would keep everything that was read from the worker along with it.
            waiting.writeImmutableBuffer(bytes)
        }
    }

    private struct State {
        /// What is told before the output that waits.
        var news: [ExecEvent]
        var stdout = Stream()
        var stderr = Stream()
        var consumedInput: Int64?
        /// The client's last word, until it was taken.
        var ending: ExecEvent?
        var isStarted = false
        /// Whether the client was told its last word, or is about to be.
        var hasEnded = false
        /// Whether the worker said its last word, or cannot any more.
        var isOver = false
        /// Whether the client is gone.
        var isLeft = false
        /// Whether the task that reads for the client was cancelled.
        var isCancelled = false
        var waiter: CheckedContinuation<Void, Never>?

        /// Whether output still has somewhere to go.
        var isWanted: Bool { !hasEnded && !isLeft }
        /// Bytes that the worker sent ahead of the client.
        var ahead: Int64 { stdout.received - stdout.taken + stderr.received - stderr.taken }

        subscript(_ stream: OutputStreamCode) -> Stream {
            get { stream == .stdout ? stdout : stderr }
            set { if stream == .stdout { stdout = newValue } else { stderr = newValue } }
        }

        mutating func wake() {
            waiter?.resume()
            waiter = nil
        }
    }

    private let state: Mutex<State>

    init(
        id: ExecID, job: JobID, lease: AttemptLease, session: WorkerLink, outputBytes: Int64?, requestBytes: Int
    ) {
        self.id = id
        self.job = job
        self.lease = lease
        self.session = session
        let (limit, overflow) = (outputBytes ?? .max).addingReportingOverflow(SpecBounds.outputMarkBytes)
        outputLimit = overflow ? .max : limit
        self.requestBytes = requestBytes
        state = Mutex(State(news: [.created(id: id, job: job)]))
    }

    // MARK: What the worker says

    func started() {
        state.withLock { state in
            guard !state.isStarted else { return }
            state.isStarted = true
            guard state.isWanted else { return }
            state.news.append(.started)
            state.wake()
        }
    }

    func consumed(_ offset: Int64) {
        add { $0.consumedInput = max($0.consumedInput ?? 0, offset) }
    }

    /// - Throws: `FrameError` for output that no honest worker sends: elsewhere than where the last one ended, beyond
    ///   the window, beyond the limit.
    func take(_ frame: OutputFrame) throws(FrameError) {
        guard frame.epoch == lease.epoch else { throw .malformed("output of \(id) under the epoch \(frame.epoch)") }
        let problem: String? = state.withLock { state in
            let (start, count) = (state[frame.stream].received, Int64(frame.bytes.readableBytes))
            guard frame.offset == start else { return "goes on at \(frame.offset), and \(start) bytes are here" }
            guard start <= outputLimit - count else { return "is beyond its limit of \(outputLimit) bytes" }
            if frame.stream == .stdout {
                state.stdout.add(frame.bytes, isWanted: state.isWanted)
            } else {
                state.stderr.add(frame.bytes, isWanted: state.isWanted)
            }
            guard !state.isWanted || state.ahead <= ExecAssignment.outputWindow else { return "is beyond its window" }
            state.wake()
            return nil
        }
        if let problem { throw .malformed("output of \(id) \(problem)") }
    }

    /// The worker's last word.
    ///
    /// - Throws: `FrameError` where output is missing before the end.
    func end(_ result: ExecResult) throws(FrameError) {
        let isWhole = state.withLock { state in
            let isWhole =
                !state.isWanted
                || (result.stdoutBytes == state.stdout.received && result.stderrBytes == state.stderr.received)
            state.isOver = isWhole
            if isWhole { finish(&state, .ended(ExecEnd(result.outcome))) }
            return isWhole
        }
        guard isWhole else { throw .malformed("\(id) ends before all its output came") }
    }

    /// Ends the client's stream without the worker's word.
    ///
    /// - Parameter isOver: whether the worker will say nothing any more.
    func fail(_ error: APIError, isOver: Bool = false) {
        state.withLock { state in
            state.isOver = state.isOver || isOver
            finish(&state, .failed(error))
        }
    }

    private func finish(_ state: inout State, _ event: ExecEvent) {
        guard !state.hasEnded else { return }
        state.hasEnded = true
        state.ending = event
        state.wake()
    }

    private func add(_ change: (inout State) -> Void) {
        state.withLock { state in
            guard state.isWanted else { return }
            change(&state)
            state.wake()
        }
    }

    /// Whether the worker may not have read yet what it was asked for.
    var isUnread: Bool { state.withLock { !$0.isStarted && !$0.isOver } }

    // MARK: What the client takes

    /// Everything that can be sent now; waits for the first. `nil` after the end, after `leave` and when the task is
    /// cancelled.
    func next() async -> [Item]? {
        while true {
            if let items = state.withLock({ Self.take(from: &$0) }) { return items.isEmpty ? nil : items }
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    state.withLock { state in
                        if Self.hasNews(state) { return continuation.resume() }
                        state.waiter = continuation
                    }
                }
            } onCancel: {
                state.withLock { state in
                    state.isCancelled = true
                    state.wake()
                }
            }
        }
    }

    private static func hasNews(_ state: State) -> Bool {
        !state.news.isEmpty || state.stdout.waiting.readableBytes + state.stderr.waiting.readableBytes > 0
            || state.consumedInput != nil || state.hasEnded || state.isLeft || state.isCancelled
    }

    /// `nil`: nothing yet. Empty: nothing ever again.
    private static func take(from state: inout State) -> [Item]? {
        if state.isLeft || state.isCancelled { return [] }
        var items = state.news.map(Item.event)
        for code in [OutputStreamCode.stdout, .stderr] {
            let stream = state[code]
            guard stream.waiting.readableBytes > 0 else { continue }
            items.append(
                .output(code, offset: stream.received - Int64(stream.waiting.readableBytes), stream.waiting))
            state[code].waiting = ByteBuffer()
        }
        // Behind the end nothing is told.
        if let offset = state.consumedInput, !state.hasEnded { items.append(.event(.inputConsumed(offset))) }
        if let ending = state.ending { items.append(.event(ending)) }
        (state.news, state.consumedInput, state.ending) = ([], nil, nil)
        return items.isEmpty && !state.hasEnded ? nil : items
    }

    /// Notes what the client's connection took.
    ///
    /// - Returns: how far it is, where the worker's window moves by it.
    func written(_ items: [Item]) -> Offsets? {
        state.withLock { state in
            var hasMoved = false
            for case .output(let code, let offset, let bytes) in items {
                state[code].taken = offset + Int64(bytes.readableBytes)
                hasMoved = true
            }
            guard hasMoved, !state.isOver else { return nil }
            return Offsets(stdout: state.stdout.taken, stderr: state.stderr.taken)
        }
    }

    /// The client is gone: what waits for it is dropped.
    ///
    /// - Returns: whether the worker has to be told.
    func leave() -> Bool {
        state.withLock { state in
            guard !state.isLeft else { return false }
            state.isLeft = true
            (state.stdout.waiting, state.stderr.waiting) = (ByteBuffer(), ByteBuffer())
            state.wake()
            return !state.isOver
        }
    }
}
