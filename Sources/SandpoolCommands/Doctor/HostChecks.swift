import Glibc
import SandpoolModel
import SandpoolWorker

/// What this host's set-up offers beside its kernel.
enum HostChecks {
    /// A job's default writable layer twice over.
    private static let wantedDisk: Int64 = 1 << 30

    static var all: [HostCheck] {
        [launcher, disk, BigDiskCheck.found, tar, mmdebstrap, subordinateIDs] + OrdinaryUserChecks.all
    }

    private static var launcher: HostCheck {
        do {
            return HostCheck("sandpool-launcher", true, try LauncherProgram.find().path, fix: "")
        } catch {
            return HostCheck(
                "sandpool-launcher", false, "\(error)", fix: "install it with sandpool, as make install does")
        }
    }

    private static var disk: HostCheck {
        let place = HostFile.nearest(to: DataDirectories.local)
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

    /// mmdebstrap(1) as an ordinary user needs them. Asked as root, the answer is for the service's user.
    private static var subordinateIDs: HostCheck {
        let service = geteuid() == 0 ? getpwnam("sandpool") : nil
        guard let entry = service ?? getpwuid(geteuid()), entry.pointee.pw_uid != 0 else {
            return HostCheck("subordinate ids", true, isRequired: false, "root needs none", fix: "")
        }
        let user = String(cString: entry.pointee.pw_name)
        let unlisted = ["/etc/subuid", "/etc/subgid"].filter { path in
            let entries = HostFile.text(path)?.split(separator: "\n") ?? []
            return !entries.contains { $0.hasPrefix("\(user):") }
        }
        let found =
            if !unlisted.isEmpty {
                "\(user) is not in \(unlisted.joined(separator: " and ")); needed for mmdebstrap:SUITE and --user"
            } else {
                HostFile.program("newuidmap") == nil ? "newuidmap is not installed" : "\(user) has them"
            }
        let range = service == nil ? "100000-165535" : BuildIDs.range
        return HostCheck(
            "subordinate ids", unlisted.isEmpty && HostFile.program("newuidmap") != nil, isRequired: false, found,
            fix: "apt-get install uidmap; usermod --add-subuids \(range) --add-subgids \(range) \(user)")
    }
}
