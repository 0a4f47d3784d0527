import CLinux
import Glibc
import LinuxSystem

/// Makes a launcher that an ordinary user started the root of a user namespace of his own, for good.
///
/// It leaves the host's net namespace with it: only in one that its user namespace owns may it make others for
/// sandboxes and come back (setns(2)), and it needs no network itself.
enum OwnNamespace {
    /// Whether this process can enter one, and is then more than nobody in it: AppArmor lets some in and denies
    /// everything there.
    static var isGiven: Bool {
        guard geteuid() != 0, (try? enter()) != nil, (try? MountWorkshop.leaveHost()) != nil else { return false }
        return (try? Mount.make("tmpfs", [("size", "4k")], attributes: [])) != nil
    }

    static func enter() throws(LauncherError) -> HostRights {
        let (user, group) = (geteuid(), getegid())
        do throws(SystemError) {
            let mapper = try SubordinateIDs(user: user, group: group)?.makeMapper()
            do throws(SystemError) { try Namespaces([.user, .network]).unshare() } catch {
                mapper?.giveUp()
                throw error
            }
            if let mapper, try mapper.map() { return rights(.shared(count: IdMap.count), user) }
            // Before the map of groups: who may not say which groups he has could leave one that denies him
            // something (user_namespaces(7), "The /proc/[pid]/setgroups file").
            let own = try FileDescriptor.open("/proc/self", O_PATH | O_DIRECTORY)
            try own.write("deny", to: "setgroups")
            try own.write("0 \(user) 1\n", to: "uid_map")
            try own.write("0 \(group) 1\n", to: "gid_map")
            return rights(.shared(count: 1), user)
        } catch {
            throw LauncherError("this host gives user \(user) no user namespace (\(error)); run: sandpool doctor")
        }
    }

    private static func rights(_ ids: IdSpace, _ user: uid_t) -> HostRights {
        HostRights.ordinaryUser(
            ids,
            unlimitedBecause: CgroupTree.isDelegatedHere ? nil : "no cgroup of this host is delegated to user \(user)",
            blockedBecause: "without root a sandbox has no network; add --block-network")
    }
}
