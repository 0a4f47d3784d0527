import SandpoolAPI

/// What is known of the session with the coordinator. Milliseconds of CLOCK_BOOTTIME.
struct SessionState: Sendable {
    /// Names the session; what belongs to an earlier one is ignored.
    var number = 0
    /// Whether the coordinator has answered `hello`: nothing else is sent before.
    var isWelcome = false
    var leaseMs: Int64 = 30_000
    var heartbeatMs: Int64 = 10_000
    var nextHeartbeatMs: Int64 = 0
    /// Until when new starts are allowed, counted from when the renewal was sent.
    var leaseUntilMs: Int64 = 0
    /// When `hello` was made: the first lease counts from here.
    var helloMs: Int64 = 0
    /// When the last frame came.
    var heardMs: Int64 = 0
    /// What the hello said to be given back.
    var toldReturned: [AttemptLease] = []
}

/// What a worker's next process of the same boot has to know of its silence. Milliseconds of CLOCK_BOOTTIME.
package struct Renewal: Hashable, Sendable {
    /// The newest moment at which something was sent that the coordinator has answered.
    package var sentMs: Int64
    /// How long the coordinator waits for the next one; `nil`: it is not known.
    package var replaceMs: Int64?

    package init(sentMs: Int64, replaceMs: Int64?) {
        self.sentMs = sentMs
        self.replaceMs = replaceMs
    }
}

/// For how long the coordinator may have heard nothing of this worker. Milliseconds of CLOCK_BOOTTIME.
struct SilenceState: Sendable {
    /// The coordinator has heard this worker then, or later.
    var renewedMs: Int64
    /// How long it hears nothing before another attempt takes the place of one that may be run again.
    var replaceMs: Int64 = 120_000
    /// When it is looked at again, if it is.
    var timerMs: Int64?

    /// What cannot be counts as nothing: a moment that is unknown was at the latest now.
    init(_ renewal: Renewal?, nowMs: Int64) {
        renewedMs = min(renewal?.sentMs ?? nowMs, nowMs)
        if let known = renewal?.replaceMs { replaceMs = min(max(known, 1_000), 86_400_000) }
    }

    /// How long an attempt may go on: a twelfth is kept for clocks that go differently, a timer that is late, and the
    /// kill itself.
    var patienceMs: Int64 { replaceMs - replaceMs / 12 }
    var endMs: Int64 { renewedMs + patienceMs }
}
