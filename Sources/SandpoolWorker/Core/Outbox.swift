import SandpoolAPI
import SandpoolModel

/// What waits to be sent of attempts, except for output and results, which wait where they are: messages of which
/// only the newest counts are folded, so it never holds more than a few for each attempt.
struct Outbox: Sendable {
    private var progress: [AttemptID: AttemptProgress] = [:]
    private var returned: [AttemptLease] = []
    private var consumed: [AttemptLease: Int64] = [:]
    private var heartbeatMs: Int64?

    /// Attempts that go back; the only things here whose number a coordinator can drive up.
    var returnedCount: Int { returned.count }

    mutating func add(_ step: AttemptProgress) { progress[step.lease.attempt] = step }
    /// The result says everything that the progress would have.
    mutating func dropProgress(of attempt: AttemptID) { progress[attempt] = nil }
    /// Nobody waits for word of the attempt any more.
    mutating func drop(_ lease: AttemptLease) {
        progress[lease.attempt] = nil
        consumed[lease] = nil
    }
    mutating func giveBack(_ lease: AttemptLease) {
        if progress[lease.attempt]?.lease == lease { progress[lease.attempt] = nil }
        returned.append(lease)
    }
    mutating func noteConsumed(_ lease: AttemptLease, offset: Int64) { consumed[lease] = offset }
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
        self = Outbox()
        return messages
    }
}
