import CLinux
import Glibc

/// New namespaces, and those of others.
enum NamespaceProbes {
    /// Flags of clone(2) and unshare(2), and the names in `/proc/PID/ns`.
    private static let kinds: [(name: String, flag: Int)] = [
        ("user", 0x1000_0000), ("mnt", 0x0002_0000), ("pid", 0x2000_0000), ("net", 0x4000_0000),
        ("ipc", 0x0800_0000), ("uts", 0x0400_0000), ("cgroup", 0x0200_0000), ("time", 0x80),
    ]

    static let all: [Probe] =
        kinds.map { kind in
            Probe(
                "unshare-\(kind.name)", .mounts, "make a \(kind.name) namespace by unshare(2)", behind: wall(kind.name)
            ) { _ in
                Answer(of: CLinux_unshare(Int32(kind.flag))).outcome("unshare \(kind.name)")
            }
        }
        // The flag of a time namespace is part of the exit signal in clone(2).
        + kinds.dropLast().map { kind in
            Probe(
                "clone-\(kind.name)", .mounts, "make a \(kind.name) namespace by clone(2)", behind: wall(kind.name)
            ) { _ in
                clone(kind.name, kind.flag)
            }
        }
        + [
            Probe("clone3-user", .mounts, "make a user namespace by clone3(2)", behind: [.seccomp]) { _ in clone3() },
            Probe("enter-own-namespaces", .mounts, "enter its own namespaces anew", behind: [.seccomp, .capabilities]) {
                _ in
                enter("self", ["uts", "ipc", "net"])
            },
            Probe(
                "enter-first-namespaces", .mounts, "enter the namespaces of every process in sight",
                behind: [.seccomp, .capabilities, .userNamespace]
            ) { _ in
                .first(of: processes().map { enter($0, kinds.map(\.name)) })
            },
            Probe("chroot", .mounts, "change the root, the first half of an escape", behind: [.seccomp, .capabilities])
            {
                _ in
                Answer(of: chroot("/tmp")).outcome("chroot /tmp")
            },
            Probe(
                "open-by-handle", .mounts, "open any file of a file system by its number",
                behind: [.seccomp, .capabilities, .userNamespace]
            ) { _ in
                openByHandle()
            },
        ]

    private static func wall(_ kind: String) -> [Protection] {
        kind == "user" ? [.seccomp] : [.seccomp, .capabilities]
    }

    private static func clone(_ name: String, _ flag: Int) -> Outcome {
        guard let child = Child.fork(flags: flag, { _exit(0) }) else {
            return .held("clone \(name): \(Answer.text(errno))")
        }
        child.wait()
        return .through("clone \(name) succeeded")
    }

    private static func clone3() -> Outcome {
        var descriptor: Int32 = -1
        let pid = CLinux_clone3(0x1000_0000, &descriptor, -1)
        if pid == 0 { _exit(0) }
        guard pid > 0 else { return .held("clone3: \(Answer.text(errno))") }
        Child(pid: pid).wait()
        return .through("clone3 with CLONE_NEWUSER succeeded")
    }

    private static func processes() -> [String] { Place.names("/proc").filter { Int32($0) != nil } }

    private static func enter(_ process: String, _ names: [String]) -> Outcome {
        .first(
            of: names.map { name in
                let path = "/proc/\(process)/ns/\(name)"
                let file = open(path, O_RDONLY | O_CLOEXEC)
                guard file >= 0 else { return .held("open \(path): \(Answer.text(errno))") }
                defer { close(file) }
                return Answer(of: CLinux_setns(file, 0)).outcome("setns \(path)")
            })
    }

    /// open_by_handle_at(2) of a directory's own handle.
    private static func openByHandle() -> Outcome {
        // struct file_handle: the size of what follows, a type, and up to 128 bytes.
        withMemory(144, [0: 128]) { handle in
            withMemory(8) { mount in
                let named = "/tmp".withAddress { Answer(__NR_name_to_handle_at, Int(AT_FDCWD), $0, handle, mount) }
                guard named.code == 0 else {
                    return named.code == EOPNOTSUPP
                        ? .notRun("this file system has no handles") : named.outcome("name_to_handle_at")
                }
                let place = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                defer { close(place) }
                return Answer(__NR_open_by_handle_at, Int(place), handle, Int(O_RDONLY)).outcome("open_by_handle_at")
            }
        }
    }
}
