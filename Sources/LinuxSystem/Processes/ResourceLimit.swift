import Glibc

/// A limit of a process (getrlimit(2)), by its number; the C library declares them in more than one way.
public enum ResourceLimit: Int32, CaseIterable, Sendable {
    case processorSeconds = 0
    case fileBytes = 1
    case dataBytes = 2
    case stackBytes = 3
    case coreBytes = 4
    case processes = 6
    case openFiles = 7
    case lockedBytes = 8
    case addressBytes = 9
    case fileLocks = 10
    case pendingSignals = 11
    case messageQueueBytes = 12
    case niceness = 13
    case realtimePriority = 14
    case realtimeMicroseconds = 15

    /// RLIM_INFINITY.
    public static let unlimited = rlim_t.max

    public func get() throws(SystemError) -> (soft: rlim_t, hard: rlim_t) {
        var limit = rlimit()
        try systemCall("getrlimit \(self)") { getrlimit(__rlimit_resource_t(UInt32(rawValue)), &limit) }
        return (limit.rlim_cur, limit.rlim_max)
    }

    public func set(soft: rlim_t, hard: rlim_t) throws(SystemError) {
        var limit = rlimit(rlim_cur: soft, rlim_max: hard)
        try systemCall("setrlimit \(self)") { setrlimit(__rlimit_resource_t(UInt32(rawValue)), &limit) }
    }

    /// As high as this process may: to the hard limit, or above it, for which it takes CAP_SYS_RESOURCE. Best effort.
    public func raise(aboveHard: Bool = true) {
        if aboveHard, (try? set(soft: Self.unlimited, hard: Self.unlimited)) != nil { return }
        guard let (_, hard) = try? get() else { return }
        try? set(soft: hard, hard: hard)
    }
}
