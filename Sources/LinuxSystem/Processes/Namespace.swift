import CLinux
import Glibc

/// Namespaces as flags of clone3(2), unshare(2) and setns(2).
public struct Namespaces: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let mount = Namespaces(rawValue: 0x0002_0000)
    public static let cgroup = Namespaces(rawValue: 0x0200_0000)
    public static let uts = Namespaces(rawValue: 0x0400_0000)
    public static let ipc = Namespaces(rawValue: 0x0800_0000)
    public static let user = Namespaces(rawValue: 0x1000_0000)
    public static let pid = Namespaces(rawValue: 0x2000_0000)
    public static let network = Namespaces(rawValue: 0x4000_0000)

    public func unshare() throws(SystemError) {
        try systemCall("unshare") { CLinux_unshare(Int32(bitPattern: rawValue)) }
    }

    /// Moves the calling process into a namespace of this one kind; or, by a pidfd, into those of these kinds that the
    /// process has.
    public func enter(_ namespace: FileDescriptor) throws(SystemError) {
        try systemCall("setns") { CLinux_setns(namespace.raw, Int32(bitPattern: rawValue)) }
    }
}
