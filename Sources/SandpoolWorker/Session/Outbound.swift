import NIOCore
import SandpoolAPI
import SandpoolModel

/// One thing to send: a message, or bytes that still have to be read from a spool.
enum OutboundItem: Sendable {
    case message(WorkerMessage)
    /// - Parameter id: the attempt's or the exec's.
    case output(
        id: String, epoch: Int64, stream: OutputStreamCode, spool: SpoolFile, offset: Int64, count: Int)

    /// The frame; blocks for the read from the page cache.
    func frame() throws -> Frame {
        switch self {
        case .message(let message):
            return try .message(message)
        case .output(let id, let epoch, let stream, let spool, let offset, let count):
            let bytes = try spool.read(at: offset, count: count)
            guard bytes.readableBytes == count else {
                throw WorkerError("the spool of \(id) ends before byte \(offset + Int64(count))")
            }
            return .output(OutputFrame(id: id, epoch: epoch, stream: stream, offset: offset, bytes: bytes))
        }
    }
}

/// What waits to be sent on the session, except for output and results, which wait where they are: messages of
/// which only the newest counts are folded, so it never holds more than a few for each attempt.
struct Outbox: Sendable {
    private var progress: [AttemptID: AttemptProgress] = [:]
    private var returned: [AttemptLease] = []
    private var consumed: [AttemptLease: Int64] = [:]
    private var heartbeatMs: Int64?
    private var startedExecs: [ExecID] = []
    private var consumedByExecs: [ExecID: Int64] = [:]
    private var refusedExecs: [ExecResult] = []

    /// Attempts and execs that go back; the only things here whose number a coordinator can drive up.
    var returnedCount: Int { returned.count + refusedExecs.count }

    mutating func add(_ step: AttemptProgress) { progress[step.lease.attempt] = step }
    /// The result says everything that the progress would have.
    mutating func dropProgress(of attempt: AttemptID) { progress[attempt] = nil }
    /// Nobody waits for word of the attempt any more.
    mutating func drop(_ lease: AttemptLease) {
        progress[lease.attempt] = nil
        consumed[lease] = nil
    }
    mutating func giveBack(_ lease: AttemptLease) {
        progress[lease.attempt] = nil
        returned.append(lease)
    }
    mutating func noteConsumed(_ lease: AttemptLease, offset: Int64) { consumed[lease] = offset }
    mutating func noteStarted(_ exec: ExecID) { startedExecs.append(exec) }
    mutating func noteConsumed(_ exec: ExecID, offset: Int64) { consumedByExecs[exec] = offset }
    /// An exec that never began.
    mutating func refuse(_ exec: ExecResult) { refusedExecs.append(exec) }
    /// Nobody waits for word of the exec any more.
    mutating func drop(_ exec: ExecID) {
        startedExecs.removeAll { $0 == exec }
        consumedByExecs[exec] = nil
    }
    mutating func heartbeat(sentMs: Int64) { heartbeatMs = sentMs }

    /// Takes everything, in the order in which the coordinator has to see it.
    mutating func takeAll() -> [WorkerMessage] {
        var messages: [WorkerMessage] = []
        if let heartbeatMs { messages.append(.heartbeat(sentMs: heartbeatMs)) }
        if !returned.isEmpty { messages.append(.returned(returned)) }
        if !progress.isEmpty {
            messages.append(.progress(progress.values.sorted { $0.lease.attempt < $1.lease.attempt }))
        }
        for (lease, offset) in consumed { messages.append(.inputConsumed(lease, offset: offset)) }
        messages += startedExecs.map(WorkerMessage.execStarted)
        for (exec, offset) in consumedByExecs { messages.append(.execInputConsumed(exec, offset: offset)) }
        messages += refusedExecs.map(WorkerMessage.execEnded)
        self = Outbox()
        return messages
    }
}
