import Glibc

/// What the launcher may do on this host, decided once at its start: as root everything, as an ordinary user what
/// the root of a user namespace of his own may.
struct HostRights {
    var ids: IdSpace
    /// Whether it can make device nodes; else those of the host are bound.
    var makesDevices: Bool
    /// Whether it can limit directories or mount file systems over loop devices; else a writable layer has to fit the
    /// sandbox's memory.
    var makesDisks: Bool
    /// Whether a procfs of the host's own pid namespace can be mounted; else the one that is there is copied.
    var mountsProcesses: Bool
    /// Beside the layers. Only root may keep overlay's notes in `trusted.*` attributes; in a user namespace they
    /// are `user.*` ones (kernel doc: overlayfs, "User xattr"), which tmpfs has since Linux 6.6.
    var overlayOptions: [(String, String)]
    /// Whether the launcher's files in `/proc` are root's. What it clones would inherit that, and the root of a user
    /// namespace could not write the ids of its own children there (proc(5), "/proc/[pid]"). What it guards from is
    /// kept off without: sandboxes by their pid namespace, helpers by having no capability that the launcher has
    /// (ptrace(2), "access mode checking"); the user's own programs may trace his own programs.
    var hides: Bool
    /// Whom the helpers that need no rights become; nil where there is nobody else to be.
    var helperUser: uid_t?
    /// Why memory, processes and processor cannot be limited here. Nil: they are.
    var unlimitedBecause: String?
    var outside: Outside

    /// How sandboxes get a network.
    enum Outside {
        /// Through the host's own, which the launcher is in.
        case host
        /// Through a process that it left there.
        case side(HostSide)
        /// Not at all: one line with what to do.
        case none(because: String)
    }

    static var root: HostRights {
        HostRights(
            ids: .ranges, makesDevices: true, makesDisks: true, mountsProcesses: true, overlayOptions: [], hides: true,
            helperUser: nobody, unlimitedBecause: nil, outside: .host)
    }

    static func ordinaryUser(_ ids: IdSpace, unlimitedBecause: String?, outside: Outside) -> HostRights {
        HostRights(
            ids: ids, makesDevices: false, makesDisks: false, mountsProcesses: false,
            overlayOptions: [("userxattr", "")], hides: false, helperUser: nil, unlimitedBecause: unlimitedBecause,
            outside: outside)
    }

    /// Nobody's user and group on every distribution.
    static let nobody: uid_t = 65_534
}
