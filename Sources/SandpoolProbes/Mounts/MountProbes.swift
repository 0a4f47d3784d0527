import CLinux
import Glibc

/// Changes to what is mounted where.
enum MountProbes {
    private static let wall: [Protection] = [.seccomp, .capabilities]

    static let all: [Probe] = [
        Probe("mount-tmpfs", .mounts, "mount a file system of its own", behind: wall) { _ in
            Answer(of: mount("none", "/tmp", "tmpfs", 0, nil)).outcome("mount tmpfs")
        },
        Probe("bind-mount", .mounts, "mount a directory at another place", behind: wall) { _ in
            Answer(of: mount("/", "/tmp", nil, UInt(MS_BIND), nil)).outcome("bind /")
        },
        Probe("remount-root", .mounts, "change the flags of the root mount", behind: wall) { _ in
            remount("/", 0)
        },
        Probe("remount-programs", .mounts, "make a read-only mount writable", behind: wall) { _ in
            remountReadOnly()
        },
        Probe("remount-proc", .mounts, "make /proc executable and setuid", behind: wall) { _ in remount("/proc", 0) },
        Probe("remount-settings", .mounts, "make /proc/sys writable", behind: wall) { _ in remount("/proc/sys", 0) },
        Probe("mount-setattr", .mounts, "change mount flags by mount_setattr(2)", behind: wall) { _ in
            Answer(of: CLinux_mount_setattr(AT_FDCWD, "/", 0, 0, 2, 0, -1)).outcome("mount_setattr /")
        },
        Probe("unmount", .mounts, "take a mount away, and see what is below", behind: wall) { _ in unmount() },
        Probe("pivot-root", .mounts, "make another directory the root", behind: wall) { _ in
            mkdir("/tmp/old", 0o700)
            defer { rmdir("/tmp/old") }
            return Answer(of: CLinux_pivot_root("/tmp", "/tmp/old")).outcome("pivot_root /tmp")
        },
        Probe("fsopen", .mounts, "make a file system by the new mount calls", behind: wall) { _ in
            Answer(of: CLinux_fsopen("tmpfs")).outcome("fsopen tmpfs")
        },
        Probe("open-tree", .mounts, "copy a mount by open_tree(2)", behind: wall) { _ in
            Answer(of: CLinux_open_tree(AT_FDCWD, "/", 1)).outcome("open_tree / OPEN_TREE_CLONE")
        },
        Probe("move-mount", .mounts, "move a mount by move_mount(2)", behind: wall) { _ in
            mkdir("/tmp/moved", 0o700)
            defer { rmdir("/tmp/moved") }
            return Answer(of: CLinux_move_mount(AT_FDCWD, "/dev/pts", AT_FDCWD, "/tmp/moved", 0))
                .outcome("move_mount /dev/pts")
        },
        Probe("mount-cgroup", .mounts, "mount the cgroup tree", behind: wall) { _ in
            Place.withDirectory { path in
                Answer(of: mount("none", path, "cgroup2", 0, nil)).outcome("mount cgroup2")
            }
        },
        Probe(
            "cgroup-release-agent", .mounts, "have the host run a program through a version 1 cgroup",
            behind: wall + [.userNamespace, .cgroupNamespace]
        ) { _ in
            releaseAgent()
        },
    ]

    private static func remount(_ path: String, _ flags: Int) -> Outcome {
        Answer(of: mount(nil, path, nil, UInt(MS_REMOUNT) | UInt(MS_BIND) | UInt(flags), nil))
            .outcome("remount \(path)")
    }

    /// The first mount that is read-only, in mountinfo's order (proc_pid_mountinfo(5)).
    private static func remountReadOnly() -> Outcome {
        for line in Place.text("/proc/self/mountinfo").split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count > 5, fields[5].split(separator: ",").first == "ro" else { continue }
            return remount(String(fields[4]), 0)
        }
        return remount("/usr", 0)
    }

    private static func unmount() -> Outcome {
        let places = ["/proc/sys", "/proc/kcore", "/proc/keys", "/dev/pts", "/dev/shm", "/usr/local", "/tmp"]
        return .first(of: places.map { Answer(of: umount2($0, Int32(MNT_DETACH))).outcome("umount \($0)") })
    }

    /// The file is opened and nothing written: what it named would run on the host.
    private static func releaseAgent() -> Outcome {
        Place.withDirectory { path in
            let mounted = Answer(of: mount("none", path, "cgroup", 0, "pids"))
            guard mounted.code == 0 else { return mounted.outcome("mount cgroup") }
            defer { umount2(path, Int32(MNT_DETACH)) }
            return Place.writing("\(path)/release_agent")
        }
    }
}
