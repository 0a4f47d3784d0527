/// Where on this host the launcher's own cgroups go.
enum CgroupPlacement: Equatable {
    /// Below the launcher's own cgroups of version 1, which has the controllers here, and below that of
    /// version 2 where it is mounted too.
    case versionOne(memory: String, pids: String, cpu: String, unified: String?)
    /// Below a cgroup of version 2 that was delegated to the launcher, such as a unit's with `Delegate=yes`.
    /// Only one without processes can hand controllers down (cgroups(7), "no internal processes"), so what runs
    /// in it moves into a child of it.
    case delegated(parent: String)
    /// Below the root of the version 2 tree: the one cgroup that hands controllers down with processes in it,
    /// and belongs to nobody. The session that the launcher was started from by hand is not its own to divide.
    case root(mount: String)

    /// - Parameter isDelegated: whether a cgroup of version 2 was delegated to who runs in it.
    init(_ membership: CgroupMembership, isDelegated: (String) -> Bool) throws(LauncherError) {
        if let memory = membership.controllers["memory"] {
            guard let pids = membership.controllers["pids"], let cpu = membership.controllers["cpu"] else {
                throw LauncherError(
                    "cgroups: the memory controller is on version 1, but pids or cpu is not; boot with "
                        + "systemd.unified_cgroup_hierarchy=1")
            }
            self = .versionOne(memory: memory, pids: pids, cpu: cpu, unified: membership.unified)
        } else if let own = membership.unified, isDelegated(own) {
            self = .delegated(parent: own)
        } else if let mount = membership.unifiedMount {
            self = .root(mount: mount)
        } else {
            throw LauncherError("cgroups: neither version is mounted; mount cgroup2 on /sys/fs/cgroup")
        }
    }

    /// The launcher's own directories, `name` being what they are called.
    func directories(named name: String) -> [String] {
        switch self {
        case .versionOne(let memory, let pids, let cpu, let unified):
            return ([memory, pids, cpu] + (unified.map { [$0] } ?? [])).map { "\($0)/\(name)" }
        case .delegated(let parent), .root(let parent): return ["\(parent)/\(name)"]
        }
    }
}
