import SandpoolAPI

/// What the core knows of its session with the coordinator.
struct SessionState {
    /// Names the session; what belongs to an earlier one is ignored.
    var number = 0
    /// Whether the coordinator has answered `hello`: nothing else is sent before.
    var isWelcome = false
    var leaseMs: Int64 = 30_000
    var heartbeatMs: UInt64 = 10_000
    /// CLOCK_BOOTTIME in milliseconds until which new starts are allowed, counted from when the renewal was sent.
    var leaseUntilMs: Int64 = 0
    /// When `hello` was made: the first lease counts from here.
    var helloMs: Int64 = 0
    /// When the last frame came.
    var heardMs: UInt64 = 0
    /// The writer that waits for something to send.
    var waiter: CheckedContinuation<[OutboundItem]?, Never>?
    /// Whether the writer is about to be asked again.
    var isWakePosted = false
}
