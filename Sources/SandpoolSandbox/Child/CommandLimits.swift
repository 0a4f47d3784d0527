import Glibc
import LinuxSystem

/// What one process of a sandbox may have, beside what the sandbox as a whole may (its cgroup, its disk, its timeout).
///
/// What the kernel counts for each user, it counts for the sandbox and for the launcher's user as well, since that
/// one made the user namespace: a sandbox that took it all would leave none to its neighbours. Hence small numbers
/// for locked memory, signals and message queues.
enum CommandLimits {
    struct Limit {
        var kind: ResourceLimit
        var soft: rlim_t
        var hard: rlim_t

        init(_ kind: ResourceLimit, _ soft: rlim_t, hard: rlim_t? = nil) {
            self.kind = kind
            self.soft = soft
            self.hard = hard ?? soft
        }
    }

    static let all = [
        // The timeout and the cgroup bound time and processes, the cgroup memory, the writable layer files.
        Limit(.processorSeconds, ResourceLimit.unlimited),
        Limit(.fileBytes, ResourceLimit.unlimited),
        Limit(.dataBytes, ResourceLimit.unlimited),
        Limit(.addressBytes, ResourceLimit.unlimited),
        Limit(.processes, ResourceLimit.unlimited),
        Limit(.fileLocks, ResourceLimit.unlimited),
        // The kernel's own default; programs raise it for themselves.
        Limit(.stackBytes, 8 << 20, hard: ResourceLimit.unlimited),
        // A core would be written by the host's handler (core_pattern), outside of the sandbox.
        Limit(.coreBytes, 0),
        // Plenty for test suites and servers, and little enough for programs that walk through all of them. Each
        // open file is charged to the sandbox's memory.
        Limit(.openFiles, 65_536, hard: 524_288),
        // Enough for keys; memory that is locked is charged, but cannot be reclaimed.
        Limit(.lockedBytes, 64 << 10),
        // POSIX timers count as well.
        Limit(.pendingSignals, 1_024),
        // The kernel's own default: one user's queues of the default size.
        Limit(.messageQueueBytes, 819_200),
        // No process comes before those of others.
        Limit(.niceness, 0),
        Limit(.realtimePriority, 0),
        Limit(.realtimeMicroseconds, ResourceLimit.unlimited),
    ]

    /// A hard limit of the launcher's that is lower stays: only the host's root could raise it.
    static func apply(fileSize: UInt64?) throws(SystemError) {
        for limit in all {
            let before = try limit.kind.get()
            var hard = min(limit.hard, before.hard)
            if limit.kind == .fileBytes, let fileSize { hard = min(hard, rlim_t(fileSize)) }
            try limit.kind.set(soft: min(limit.soft, hard), hard: hard)
        }
    }
}
