import NIOCore
import SandpoolAPI
import SandpoolModel
import Synchronization

/// One reader of a job's events and output.
///
/// Publishers never wait for it. Output goes into its bounded queue as long as it fits; what does not is only
/// noted by its end, and the follower is sent to the output store to catch up by offset once its queue is empty.
/// So a reader that stalls costs `queueLimit` bytes and nobody else's time.
final class Follower: Sendable {
    enum Item: Sendable {
        case created(JobID, name: String?)
        /// Output that follows is that of `attempt`.
        case state(JobState, note: String?, attempt: AttemptID? = nil)
        case output(OutputStreamCode, offset: Int64, ByteBuffer, at: Timestamp)
        case inputConsumed(Int64)
        /// Output from here on was not queued: read it from the store, then call `caughtUp`.
        case catchUp(AttemptID, OutputStreamCode, offset: Int64, end: Int64)
        /// The job ended; nothing follows.
        case finished(JobID)
        case failed(APIError)
    }

    /// Most bytes of output that wait in one follower's queue.
    static let queueLimit = 1 << 20

    private struct Stream {
        /// Where the next byte for the queue stands.
        var queued: Int64
        /// Where the stream is known to end.
        var known: Int64 = 0
    }

    private struct State {
        var queue: [Item] = []
        var queuedBytes = 0
        /// The attempt that the streams are those of, once it is known.
        var attempt: AttemptID?
        /// The attempt that the follower had read of when it came; of any other it wants everything.
        let earlier: AttemptID?
        /// Whether it is known where the job stood when the follower came; before that nothing may end it.
        var isAttached: Bool
        var streams: [OutputStreamCode: Stream]
        var consumedInput: Int64?
        var ending: Item?
        var isClosed = false
        var waiter: CheckedContinuation<Void, Never>?

        mutating func wake() {
            waiter?.resume()
            waiter = nil
        }
    }

    private let state: Mutex<State>

    /// Whether the job is kept alive by this follower (`onDisconnect`).
    let holdsJob: Bool

    /// - Parameter stdout: the first byte of the stream that is wanted; `Int64.max` for none.
    /// - Parameter attempt: whose streams these bytes are; `nil` for whichever is the newest.
    /// - Parameter isAttached: whether the job is new, so that everything of it will be published.
    init(
        stdout: Int64 = 0, stderr: Int64 = 0, of attempt: AttemptID? = nil, holdsJob: Bool = false,
        isAttached: Bool = false
    ) {
        self.holdsJob = holdsJob
        state = Mutex(
            State(
                earlier: attempt, isAttached: isAttached,
                streams: [.stdout: Stream(queued: stdout), .stderr: Stream(queued: stderr)]))
    }

    // MARK: Publishing

    func publish(_ item: Item) {
        state.withLock { state in
            guard state.ending == nil else { return }
            switch item {
            case .finished, .failed: state.ending = item
            case .inputConsumed(let offset): state.consumedInput = offset
            // The first thing a client hears, whatever happened to the job before its submission was answered.
            case .created: state.queue.insert(item, at: 0)
            case .state(let job, let note, _):
                state.queue.append(.state(job, note: note, attempt: state.attempt))
            case .output, .catchUp: state.queue.append(item)
            }
            state.wake()
        }
    }

    /// An attempt begins: its output follows, and none of it is there yet. Where it takes another one's place, all of
    /// it is wanted.
    func begin(_ attempt: AttemptID) {
        state.withLock { state in
            guard state.attempt != attempt else { return }
            let isOther = state.attempt != nil || state.earlier != nil
            state.streams = state.streams.mapValues { stream in
                Stream(queued: isOther && stream.queued != .max ? 0 : stream.queued)
            }
            state.attempt = attempt
            state.wake()
        }
    }

    /// Names the attempt that was the newest when the follower came, and where its streams ended then. One that has
    /// begun since stays.
    func join(_ attempt: AttemptID, stdout: Int64, stderr: Int64) {
        state.withLock { state in
            guard state.attempt == nil || state.attempt == attempt else { return }
            let isOther = state.attempt == nil && state.earlier != nil && state.earlier != attempt
            state.attempt = attempt
            for (code, end) in [(OutputStreamCode.stdout, stdout), (.stderr, stderr)] {
                guard var stream = state.streams[code] else { continue }
                // What was published since the follower came is this attempt's.
                stream.known = max(stream.known, end)
                if isOther, stream.queued != .max { stream.queued = 0 }
                state.streams[code] = stream
            }
            state.wake()
        }
    }

    func publish(_ code: OutputStreamCode, offset: Int64, _ bytes: ByteBuffer, at moment: Timestamp) {
        state.withLock { state in
            guard var stream = state.streams[code] else { return }
            let end = offset + Int64(bytes.readableBytes)
            stream.known = max(stream.known, end)
            // Before it is said whose bytes these are, they may be no continuation of what was read earlier.
            let isOwn = state.attempt != nil || state.earlier == nil
            if isOwn, offset <= stream.queued, stream.queued < end, state.queuedBytes < Self.queueLimit {
                var rest = bytes
                rest.moveReaderIndex(forwardBy: Int(stream.queued - offset))
                state.queue.append(.output(code, offset: stream.queued, rest, at: moment))
                state.queuedBytes += rest.readableBytes
                stream.queued = end
            }
            state.streams[code] = stream
            state.wake()
        }
    }

    /// Everything from before the follower came has been told to it.
    func attached() {
        state.withLock { state in
            state.isAttached = true
            state.wake()
        }
    }

    // MARK: Reading

    /// Ends `next`.
    func close() {
        state.withLock { state in
            state.isClosed = true
            state.wake()
        }
    }

    /// Everything that can be sent now; waits for the first. `nil` after the end, after `close` and when the
    /// task is cancelled.
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
                close()
            }
        }
    }

    /// The output of a stream was read from the store up to here.
    func caughtUp(_ code: OutputStreamCode, to offset: Int64) {
        state.withLock { state in
            guard var stream = state.streams[code] else { return }
            stream.queued = max(stream.queued, offset)
            state.streams[code] = stream
        }
    }

    private static func hasNews(_ state: State) -> Bool {
        state.isClosed || !state.queue.isEmpty || state.consumedInput != nil
            || (state.isAttached && (state.ending != nil || missing(in: state) != nil))
    }

    /// The first output that was not queued.
    private static func missing(in state: State) -> Item? {
        guard let attempt = state.attempt else { return nil }
        for code in [OutputStreamCode.stdout, .stderr] {
            guard let stream = state.streams[code], stream.known > stream.queued else { continue }
            return .catchUp(attempt, code, offset: stream.queued, end: stream.known)
        }
        return nil
    }

    /// `nil`: nothing yet. Empty: nothing ever again.
    private static func take(from state: inout State) -> [Item]? {
        if state.isClosed { return [] }
        var items = state.queue
        state.queue.removeAll(keepingCapacity: true)
        state.queuedBytes = 0
        if let offset = state.consumedInput { items.append(.inputConsumed(offset)) }
        state.consumedInput = nil
        if !items.isEmpty { return items }
        guard state.isAttached else { return nil }
        if let missing = missing(in: state) { return [missing] }
        guard let ending = state.ending else { return nil }
        state.isClosed = true
        return [ending]
    }
}
