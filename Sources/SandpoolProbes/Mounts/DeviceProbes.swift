import CLinux
import Glibc

/// Device nodes, and memory and disks of the machine behind them.
enum DeviceProbes {
    private static let wall: [Protection] = [.seccomp, .capabilities, .userNamespace]

    static let all: [Probe] = [
        Probe("mknod-character", .mounts, "make a character device", behind: wall) { _ in
            make(S_IFCHR, CLinux_makedev(1, 1))
        },
        Probe("mknod-block", .mounts, "make a block device", behind: wall) { _ in make(S_IFBLK, CLinux_makedev(7, 0)) },
        Probe(
            "devices", .mounts, "open a device that is none of the harmless ones",
            behind: [.mountNamespace, .userNamespace]
        ) {
            _ in
            devices()
        },
    ]

    private static func make(_ kind: mode_t, _ device: dev_t) -> Outcome {
        Place.withDirectory { path in
            Answer(of: mknod("\(path)/node", kind | 0o600, device)).outcome("mknod")
        }
    }

    /// By major and minor number: the machine's memory, ports and log, and of the misc devices tun, fuse, kvm and
    /// vhost. Others are left alone, since opening alone may do something: a watchdog starts.
    private static let dangerous: Set<String> = [
        "1:1", "1:2", "1:4", "1:11", "10:200", "10:229", "10:232", "10:238", "10:241",
    ]

    private static func devices() -> Outcome {
        var tried = 0
        for name in Place.names("/dev") {
            let path = "/dev/\(name)"
            var status = stat()
            guard lstat(path, &status) == 0 else { continue }
            let device = status.st_rdev
            let number = "\((device >> 8) & 0xfff):\((device & 0xff) | ((device >> 12) & 0xfff00))"
            let kind = status.st_mode & S_IFMT
            guard kind == S_IFBLK || (kind == S_IFCHR && dangerous.contains(number)) else { continue }
            tried += 1
            let file = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
            if file >= 0 {
                close(file)
                return .through("\(path) (\(number)) can be opened")
            }
        }
        return .held(tried == 0 ? "/dev holds none" : "none of \(tried) opens")
    }
}
