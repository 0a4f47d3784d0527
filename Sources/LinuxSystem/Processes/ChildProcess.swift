import CLinux
import Glibc

/// A child and the descriptor that names it without the danger of a reused number (pidfd_open(2)).
public struct ChildProcess: Sendable {
    public let pid: pid_t
    public let descriptor: FileDescriptor

    public init(pid: pid_t, descriptor: FileDescriptor) {
        self.pid = pid
        self.descriptor = descriptor
    }

    /// clone3(2) with a copy of everything and new namespaces of the given kinds, in `cgroup` (version 2)
    /// if there is one. Only for a process with one thread. `body` runs in the child and never returns.
    public static func clone(
        _ namespaces: Namespaces = [], into cgroup: FileDescriptor? = nil, _ body: () -> Never
    ) throws(SystemError) -> ChildProcess {
        var raw: Int32 = -1
        let pid = try systemCall("clone3") {
            CLinux_clone3(UInt64(namespaces.rawValue), &raw, cgroup?.raw ?? -1)
        }
        if pid == 0 { body() }
        return ChildProcess(pid: pid, descriptor: FileDescriptor(owning: raw))
    }

    /// A descriptor of a process that is no child (pidfd_open(2)).
    public static func open(_ pid: pid_t) throws(SystemError) -> FileDescriptor {
        FileDescriptor(owning: try systemCall("pidfd_open \(pid)") { CLinux_pidfd_open(pid) })
    }

    public func send(_ signal: Int32) throws(SystemError) {
        try systemCall("pidfd_send_signal") { CLinux_pidfd_send_signal(descriptor.raw, signal) }
    }

    /// Sends a signal to its first thread (tgkill(2)); its number is its own until it is reaped.
    public func sendToThread(_ signal: Int32) throws(SystemError) {
        try systemCall("tgkill") { CLinux_tgkill(pid, pid, signal) }
    }

    /// Waits for the end and takes the status (waitpid(2)).
    @discardableResult
    public func reap() throws(SystemError) -> WaitStatus {
        var status: Int32 = 0
        try systemCall("waitpid") { waitpid(pid, &status, 0) }
        return WaitStatus(rawValue: status)
    }
}

/// What waitpid(2) reports of a process that ended.
public struct WaitStatus: Equatable, Sendable {
    public let rawValue: Int32
    public init(rawValue: Int32) { self.rawValue = rawValue }

    /// The signal that ended it, 0 when it exited.
    public var signal: UInt8 { UInt8(rawValue & 0x7f) }
    public var exitCode: UInt8 { UInt8((rawValue >> 8) & 0xff) }
}

/// Signals of the calling thread.
public enum SignalMask {
    /// Every signal that can be blocked.
    public static let all: UInt64 = .max

    public static func block(_ mask: UInt64) { _ = CLinux_signal_mask(SIG_BLOCK, mask) }
    public static func set(_ mask: UInt64) { _ = CLinux_signal_mask(SIG_SETMASK, mask) }
}

/// Settings of the calling process.
public enum ProcessControl {
    public static func killWhenParentEnds() throws(SystemError) {
        try systemCall("prctl PR_SET_PDEATHSIG") { CLinux_prctl(PR_SET_PDEATHSIG, UInt(SIGKILL)) }
    }

    public static func hideFromPeers() throws(SystemError) {
        try systemCall("prctl PR_SET_DUMPABLE") { CLinux_prctl(PR_SET_DUMPABLE, 0) }
    }

    public static func forbidNewPrivileges() throws(SystemError) {
        try systemCall("prctl PR_SET_NO_NEW_PRIVS") { CLinux_prctl(PR_SET_NO_NEW_PRIVS, 1) }
    }

    /// Real, effective and saved ids, and the whole list of groups; `nil` leaves the list as it is.
    public static func setIdentity(user: uid_t, group: gid_t, groups: [gid_t]?) throws(SystemError) {
        try systemCall("setresuid") { CLinux_set_ids(user, group, groups ?? [], groups?.count ?? -1) }
    }

    public static func closeAll(from first: Int32, through last: Int32 = .max) {
        if first <= last { _ = CLinux_close_range(UInt32(first), UInt32(last)) }
    }

    /// Closes every descriptor but the standard ones and these.
    public static func closeAll(except kept: [FileDescriptor]) { closeAll(exceptNumbers: kept.map(\.raw)) }

    /// The same by their numbers.
    public static func closeAll(exceptNumbers kept: [Int32]) {
        var first: Int32 = 3
        for raw in kept.sorted() {
            closeAll(from: first, through: raw - 1)
            first = max(first, raw + 1)
        }
        closeAll(from: first)
    }
}
