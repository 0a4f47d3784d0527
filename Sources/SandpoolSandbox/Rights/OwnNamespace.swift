import CLinux
import Glibc
import LinuxSystem

/// Makes a launcher that an ordinary user started the root of a user namespace of his own, for good.
///
/// It leaves the host's net namespace with it: only in one that its user namespace owns may it make others for
/// sandboxes and come back (setns(2)). What has to be in the host's it leaves there first.
enum OwnNamespace {
    /// Whether this process can enter one, and is then more than nobody in it: AppArmor lets some in and denies
    /// everything there.
    static var isGiven: Bool {
        guard geteuid() != 0, (try? enter()) != nil, (try? MountWorkshop.leaveHost()) != nil else { return false }
        return (try? Mount.make("tmpfs", [("size", "4k")], attributes: [])) != nil
    }

    static func enter() throws(LauncherError) -> HostRights {
        let user = geteuid()
        // Asked as that user, and of no interest where he was given one.
        let lack = UserDelegation.lack ?? "the launcher was not started by: systemd-run --user --scope -p Delegate=yes"
        do throws(SystemError) {
            let ids = try becomeRoot(user, getegid())
            let outside = try Self.outside()
            try Namespaces.network.unshare()
            return HostRights.ordinaryUser(
                ids, unlimitedBecause: CgroupTree.isDelegatedHere ? nil : lack, outside: outside)
        } catch {
            throw LauncherError("this host gives user \(user) no user namespace (\(error)); run: sandpool doctor")
        }
    }

    private static func becomeRoot(_ user: uid_t, _ group: gid_t) throws(SystemError) -> IdSpace {
        let mapper = try SubordinateIDs(user: user, group: group)?.makeMapper()
        do throws(SystemError) { try Namespaces.user.unshare() } catch {
            mapper?.giveUp()
            throw error
        }
        if let mapper, try mapper.map() { return .shared(count: IdMap.count) }
        // Before the map of groups: who may not say which groups he has could leave one that denies him
        // something (user_namespaces(7), "The /proc/[pid]/setgroups file").
        let own = try FileDescriptor.open("/proc/self", O_PATH | O_DIRECTORY)
        try own.write("deny", to: "setgroups")
        try own.write("0 \(user) 1\n", to: "uid_map")
        try own.write("0 \(group) 1\n", to: "gid_map")
        return .shared(count: 1)
    }

    /// With the rights of the new user namespace, which pasta needs, and before the host's net namespace is left.
    private static func outside() throws(SystemError) -> HostRights.Outside {
        if let lack = Pasta.missing { return .none(because: lack.text) }
        return .side(try HostSide(resolverPath: SandboxNetwork.Configuration().resolverPath))
    }
}
