/// What a sandbox gets of processors that all want: in proportion to the processors it asked for. The quota bounds
/// it where there is enough.
///
/// One whole processor has the kernel's default, so that most sandboxes need no write for it. The launcher, and all
/// sandboxes together, are siblings with that default too: whatever runs in the sandboxes, the launcher gets its turn.
enum CPUWeight {
    static let versionTwoDefault: UInt64 = 100
    static let versionOneDefault: UInt64 = 1_024

    /// `cpu.weight`: 1 to 10,000 (cgroup-v2.rst, "CPU Interface Files").
    static func versionTwo(_ cpuMillis: UInt32) -> UInt64 {
        min(max(UInt64(cpuMillis) * versionTwoDefault / 1_000, 1), 10_000)
    }

    /// `cpu.shares`: 2 to 262,144 (kernel/sched/sched.h, MIN_SHARES and MAX_SHARES).
    static func versionOne(_ cpuMillis: UInt32) -> UInt64 {
        min(max(UInt64(cpuMillis) * versionOneDefault / 1_000, 2), 262_144)
    }
}
