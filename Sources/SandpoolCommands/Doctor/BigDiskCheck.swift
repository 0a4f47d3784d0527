import Glibc
import LinuxSystem

/// What a writable layer is made of that does not fit the memory, at each place where a launcher of this host has its
/// data: a directory with a limit of its own where the file system enforces that, else an image over a loop device.
enum BigDiskCheck {
    static var found: HostCheck { geteuid() == 0 ? foundByRoot : foundByOthers }

    /// Only root makes them (`HostRights.makesDisks`), whatever this host has for him.
    private static var foundByOthers: HostCheck {
        HostCheck(
            "big disks", false, isRequired: false, "without root a --disk has to be smaller than --memory",
            fix: "run with sudo, or ask for more --memory")
    }

    private static var foundByRoot: HostCheck {
        let limited = places.filter(hasProjectQuotas)
        let others = places.filter { !limited.contains($0) }
        let lacks = missing
        var words: [String] = []
        if !limited.isEmpty { words.append("directories with a project quota at \(limited.joined(separator: ", "))") }
        if !others.isEmpty {
            let names = lacks.map(\.what).joined(separator: " and ")
            let way = lacks.isEmpty ? "images over loop devices" : "without \(names) none"
            words.append("\(way) at \(others.joined(separator: ", "))")
        }
        let better = "or mount XFS, or ext4 made with -O quota,project, there with prjquota"
        return HostCheck(
            "big disks", others.isEmpty || lacks.isEmpty, isRequired: false,
            "a --disk of --memory or more: \(words.joined(separator: "; "))",
            fix: (lacks.map(\.fix) + [better]).joined(separator: "; "))
    }

    /// Those that are there already, else where `--local` would make one.
    private static var places: [String] {
        let usual = ["launcher", "worker/launcher", "local/launcher"].map(DataDirectories.standard)
        let used = usual.filter(HostFile.exists)
        return used.isEmpty ? [HostFile.nearest(to: DataDirectories.local)] : used
    }

    /// What the kernel says, which a launcher does not believe before it tried.
    private static func hasProjectQuotas(_ place: String) -> Bool {
        let directory = try? FileDescriptor.open(place, O_PATH | O_DIRECTORY)
        return directory.map { ProjectQuota(of: $0).isEnforced } ?? false
    }

    /// For images.
    private static var missing: [(what: String, fix: String)] {
        var missing: [(what: String, fix: String)] = []
        if !HostFile.exists("/dev/loop-control") { missing.append(("/dev/loop-control", "modprobe loop")) }
        if HostFile.program("mke2fs") == nil { missing.append(("mke2fs", "apt-get install e2fsprogs")) }
        return missing
    }
}
