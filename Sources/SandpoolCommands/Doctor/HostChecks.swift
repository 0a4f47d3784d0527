import Glibc
import SandpoolModel

/// What this host's set-up offers beside its kernel.
enum HostChecks {
    /// A job's default writable layer twice over.
    private static let wantedDisk: Int64 = 1 << 30

    static var all: [HostCheck] {
        [root, launcher, disk, tar, mmdebstrap, unprivilegedNamespaces, subordinateIDs]
    }

    private static var root: HostCheck {
        HostCheck(
            "root", geteuid() == 0, geteuid() == 0 ? "yes" : "uid \(geteuid())",
            fix: "run with sudo; sandboxes without root are not in this version")
    }

    private static var launcher: HostCheck {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        let program = String(decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let directory = program.split(separator: "/").dropLast().map { "/\($0)" }.joined()
        let path = directory + "/sandpool-launcher"
        return HostCheck(
            "sandpool-launcher", access(path, X_OK) == 0, path, fix: "install it beside sandpool, as make dist does")
    }

    private static var disk: HostCheck {
        var place = DataDirectories.local
        while !HostFile.exists(place), let slash = place.lastIndex(of: "/"), slash != place.startIndex {
            place = String(place[..<slash])
        }
        var status = statvfs()
        let isKnown = statvfs(place, &status) == 0
        let free = isKnown ? Int64(clamping: UInt64(status.f_bavail) * UInt64(status.f_frsize)) : 0
        return HostCheck(
            "disk", free >= wantedDisk, "\(MeasuredSize.text(free)) free at \(place)",
            fix: "free \(ByteSize.format(wantedDisk)) or more there")
    }

    private static var tar: HostCheck {
        program("tar", isRequired: false, purpose: "--mount and --download", fix: "apt-get install tar")
    }

    private static var mmdebstrap: HostCheck {
        program("mmdebstrap", isRequired: false, purpose: "images mmdebstrap:SUITE", fix: "apt-get install mmdebstrap")
    }

    private static func program(_ name: String, isRequired: Bool, purpose: String, fix: String) -> HostCheck {
        let path = HostFile.program(name)
        return HostCheck(
            name, path != nil, isRequired: isRequired, path ?? "not found; needed for \(purpose)", fix: fix)
    }

    private static var unprivilegedNamespaces: HostCheck {
        let count = HostFile.number("/proc/sys/user/max_user_namespaces") ?? 0
        let isSwitchedOff = HostFile.number("/proc/sys/kernel/unprivileged_userns_clone") == 0
        let isRestricted = HostFile.number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1
        let isUsable = count > 0 && !isSwitchedOff && !isRestricted
        let reason =
            isRestricted ? "restricted by AppArmor" : isSwitchedOff || count == 0 ? "switched off" : "allowed"
        return HostCheck(
            "user namespaces", isUsable, isRequired: false, "without root: \(reason)",
            fix: isRestricted
                ? "load the AppArmor profile from deploy, or sysctl kernel.apparmor_restrict_unprivileged_userns=0"
                : "sysctl user.max_user_namespaces=15000 kernel.unprivileged_userns_clone=1")
    }

    private static var subordinateIDs: HostCheck {
        let user = getpwuid(geteuid()).map { String(cString: $0.pointee.pw_name) } ?? "\(geteuid())"
        let entries = HostFile.text("/etc/subuid")?.split(separator: "\n") ?? []
        let isListed = entries.contains { $0.hasPrefix("\(user):") || $0.hasPrefix("\(geteuid()):") }
        return HostCheck(
            "subordinate ids", isListed && HostFile.program("newuidmap") != nil, isRequired: false,
            isListed ? "\(user) is in /etc/subuid" : "\(user) is not in /etc/subuid; needed only without root",
            fix: "apt-get install uidmap; usermod --add-subuids 100000-165535 --add-subgids 100000-165535 \(user)")
    }
}
