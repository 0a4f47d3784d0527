import SandpoolAPI
import SandpoolModel

/// What waits to be sent of execs, except for their output and ends, which wait where they are.
struct ExecOutbox: Sendable {
    private var started: [ExecID] = []
    private var consumed: [ExecID: Int64] = [:]
    private var refused: [ExecResult] = []

    /// Execs that never began; the only things here whose number a coordinator can drive up.
    var refusedCount: Int { refused.count }

    mutating func noteStarted(_ exec: ExecID) { started.append(exec) }
    mutating func noteConsumed(_ exec: ExecID, offset: Int64) { consumed[exec] = offset }
    /// An exec that never began.
    mutating func refuse(_ exec: ExecResult) { refused.append(exec) }
    /// Nobody waits for word of the exec any more.
    mutating func drop(_ exec: ExecID) {
        started.removeAll { $0 == exec }
        consumed[exec] = nil
    }

    /// Takes everything, in the order in which the coordinator has to see it.
    mutating func takeAll() -> [OutboundItem] {
        guard !(started.isEmpty && consumed.isEmpty && refused.isEmpty) else { return [] }
        var messages = started.map(WorkerMessage.execStarted)
        for (exec, offset) in consumed { messages.append(.execInputConsumed(exec, offset: offset)) }
        messages += refused.map(WorkerMessage.execEnded)
        self = ExecOutbox()
        return messages.map(OutboundItem.message)
    }
}
