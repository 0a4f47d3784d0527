import CLinux
import Glibc

/// A set of capabilities by number (capabilities(7)).
public struct Capabilities: OptionSet, Sendable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public static let chown = Capabilities(rawValue: 1 << 0)
    public static let overrideAccess = Capabilities(rawValue: 1 << 1)
    public static let fileOwner = Capabilities(rawValue: 1 << 3)
    public static let fileSetID = Capabilities(rawValue: 1 << 4)
    public static let kill = Capabilities(rawValue: 1 << 5)
    public static let setGroupID = Capabilities(rawValue: 1 << 6)
    public static let setUserID = Capabilities(rawValue: 1 << 7)
    public static let changeRoot = Capabilities(rawValue: 1 << 18)
    public static let setFileCapabilities = Capabilities(rawValue: 1 << 31)

    /// Removes all others from the bounding set, so that no program can ever bring them back.
    public func boundAll() throws(SystemError) {
        for number in Int32(0)..<64 where rawValue & (1 << UInt64(number)) == 0 {
            if CLinux_capability_bounding_drop(number) != 0 {
                // The first number that this kernel does not know ends the list.
                if errno == EINVAL { break }
                throw SystemError("prctl PR_CAPBSET_DROP \(number)", code: errno)
            }
        }
        _ = CLinux_ambient_clear()
    }

    /// Makes them the effective, permitted and inheritable set.
    public func setCurrent() throws(SystemError) {
        try systemCall("capset") { CLinux_capset(rawValue, rawValue, rawValue) }
    }
}
