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

/// For how long the coordinator may have heard nothing of this worker. Milliseconds of CLOCK_BOOTTIME.
struct SilenceState: Sendable {
    /// The coordinator has heard this worker then, or later.
    var renewedMs: Int64
    /// How long it hears nothing before another attempt takes the place of one that may be run again.
    var replaceMs: Int64 = 120_000
    /// When it is looked at again, if it is.
    var timerMs: Int64?

    init(renewedMs: Int64) { self.renewedMs = renewedMs }

    /// How long an attempt may go on: a twelfth is kept for clocks that go differently, a timer that is late, and the
    /// kill itself.
    var patienceMs: Int64 { replaceMs - replaceMs / 12 }
    var endMs: Int64 { renewedMs + patienceMs }
}
