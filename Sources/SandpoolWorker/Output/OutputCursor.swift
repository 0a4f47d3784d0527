import SandpoolAPI

/// Where one output stream of one attempt stands: bytes in the spool, sent, and durable at the coordinator.
///
/// `durable ≤ sent ≤ available`, always.
struct OutputCursor: Hashable, Sendable {
    private(set) var available: Int64 = 0
    private(set) var sent: Int64 = 0
    private(set) var durable: Int64 = 0
    /// Whether it ends here although the spool may go on.
    private(set) var isCut = false

    /// Bytes that can be sent now.
    var unsent: Int64 { available - sent }
    /// Bytes under way: sent and not known to be on the coordinator's disk.
    var unacknowledged: Int64 { sent - durable }

    /// The spool holds at least this much.
    mutating func grow(to bytes: Int64) {
        if !isCut { available = max(available, bytes) }
    }

    /// Takes the next bytes to send, at most `limit`.
    mutating func take(_ limit: Int) -> (offset: Int64, count: Int)? {
        let count = min(Int64(limit), unsent)
        guard count > 0 else { return nil }
        defer { sent += count }
        return (sent, Int(count))
    }

    /// From here on the spool cannot be read, and nothing of that has gone out in this session.
    mutating func cut(at offset: Int64) {
        isCut = true
        available = min(available, max(offset, durable))
        sent = min(sent, available)
    }

    /// Frames carry nothing from here on: what was not sent yet is dropped.
    mutating func cutAtSent() { available = sent }

    /// What was not sent yet rides inside the result: frames carry nothing from here on.
    mutating func cutTail() -> Range<Int64>? {
        guard unsent > 0 else { return nil }
        defer { available = sent }
        return sent..<available
    }

    /// The coordinator has the bytes up to here on its disk. An offset beyond what was sent is its mistake and
    /// counts as what was sent.
    mutating func acknowledge(_ offset: Int64) { durable = max(durable, min(offset, sent)) }

    /// A new session: what is not durable is sent again. After a restart of this worker only the coordinator
    /// knows how far it is, so its offset may lie ahead of what was sent by this process.
    mutating func resume(at offset: Int64) {
        durable = min(max(offset, 0), available)
        sent = durable
    }
}

/// Both streams of one attempt.
struct OutputCursors: Hashable, Sendable {
    var stdout = OutputCursor()
    var stderr = OutputCursor()

    var unsent: Int64 { stdout.unsent + stderr.unsent }
    var durable: Int64 { stdout.durable + stderr.durable }
    var unacknowledged: Int64 { stdout.unacknowledged + stderr.unacknowledged }

    /// Whether what is left of each stream may ride inside a result.
    var fitsInline: Bool {
        max(stdout.unsent, stderr.unsent) <= Int64(AttemptResult.inlineLimit)
    }

    subscript(_ stream: OutputStreamCode) -> OutputCursor {
        get { stream == .stdout ? stdout : stderr }
        set { if stream == .stdout { stdout = newValue } else { stderr = newValue } }
    }
}
