/// What both clocks of a host say at once. Whatever decides by time is given one, so that it reads no clock.
package struct Moment: Hashable, Sendable {
    /// The wall clock (CLOCK_REALTIME), for what people and the store read; it may jump.
    package var wall: Timestamp
    /// Milliseconds since boot, suspension included (CLOCK_BOOTTIME), for leases and deadlines; it only goes forward.
    package var uptimeMs: Int64

    package init(wall: Timestamp, uptimeMs: Int64) {
        self.wall = wall
        self.uptimeMs = uptimeMs
    }

    package var uptime: Duration { .milliseconds(uptimeMs) }
}
