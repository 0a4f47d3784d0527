import LinuxSystem

/// A mechanism of isolation that a sandbox can be made without, for its price to be measured.
public enum Mechanism: String, CaseIterable, Sendable {
    case seccomp
    case capabilities
    case keyring
    case cgroup
    case resourceLimits = "resource-limits"
    case processMasks = "proc-masks"
    case shownIDs = "id-map"
    case generatedFiles = "generated-files"
    case netNamespace = "net-namespace"
    case ipcNamespace = "ipc-namespace"
    case utsNamespace = "uts-namespace"
    case cgroupNamespace = "cgroup-namespace"
}

/// What sandboxes are made of: every mechanism. All but one only where the floor is measured, which runs nothing but
/// `true` and to which nobody can connect (Docs/decisions/0024).
struct Composition: Sendable {
    private let leftOut: Mechanism?

    static let whole = Composition(leftOut: nil)

    private init(leftOut: Mechanism?) { self.leftOut = leftOut }

    init(of mode: LauncherOptions.Mode) {
        switch mode {
        case .floor(_, _, let leftOut): self.init(leftOut: leftOut)
        case .socket, .connected: self = .whole
        }
    }

    func has(_ mechanism: Mechanism) -> Bool { mechanism != leftOut }

    /// What the first process is cloned into; the net namespace is entered before, the cgroup namespace made after.
    var cloned: Namespaces {
        var namespaces: Namespaces = [.user, .mount, .pid]
        if has(.ipcNamespace) { namespaces.insert(.ipc) }
        if has(.utsNamespace) { namespaces.insert(.uts) }
        return namespaces
    }

    /// The rights of a host on which what is left out cannot be had.
    func rights(_ rights: HostRights) -> HostRights {
        var rights = rights
        if !has(.cgroup) { rights.unlimitedBecause = "the floor is measured without" }
        return rights
    }
}
