/// What is known of a sandbox that had to be searched for the command that ran out of memory.
struct MemorySearch: Equatable {
    /// Notices whose command was not found yet. One may be of a command that was about to end, and is never found.
    var noticed: UInt64 = 0
    var looksLeft = 0
    /// Whether another look is scheduled.
    var isUnderWay = false

    mutating func found() { noticed -= min(1, noticed) }

    /// Takes one of the looks that are left. Nothing more is expected after the last one.
    mutating func goesOn() -> Bool {
        if looksLeft == 0 { noticed = 0 }
        guard noticed > 0 else { return false }
        looksLeft -= 1
        return true
    }
}
