import Glibc

/// What the kernel offers.
enum KernelChecks {
    static var all: [HostCheck] {
        [kernel, namespaces, overlay, idmappedMounts, cgroups, nftables, veth]
    }

    private static let release: String = {
        var name = utsname()
        uname(&name)
        return withUnsafePointer(to: name.release) { pointer in
            pointer.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: name.release)) {
                String(cString: $0)
            }
        }
    }()

    private static func isAtLeast(_ major: Int, _ minor: Int) -> Bool {
        let numbers = release.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
        guard numbers.count == 2 else { return false }
        return (numbers[0], numbers[1]) >= (major, minor)
    }

    private static var kernel: HostCheck {
        HostCheck("kernel", isAtLeast(6, 1), "Linux \(release)", fix: "install Linux 6.1 or later (Debian 12 has it)")
    }

    private static var namespaces: HostCheck {
        let missing = ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup"]
            .filter { !HostFile.exists("/proc/self/ns/\($0)") }
        return HostCheck(
            "namespaces", missing.isEmpty,
            missing.isEmpty ? "user mnt pid net ipc uts cgroup" : "without \(missing.joined(separator: " "))",
            fix: "use a kernel built with them; inside a container, allow them")
    }

    private static var overlay: HostCheck {
        let isLoaded = HostFile.text("/proc/filesystems")?.contains("\toverlay\n") ?? false
        let isModule = hasModule("fs/overlayfs/overlay")
        return HostCheck(
            "overlay", isLoaded || isModule,
            isLoaded ? "in /proc/filesystems" : isModule ? "loaded when needed" : "not in /proc/filesystems",
            fix: "modprobe overlay")
    }

    /// Whether a module is there that the kernel loads when it is asked for it.
    private static func hasModule(_ name: String) -> Bool {
        ["", ".xz", ".zst"].contains { HostFile.exists("/lib/modules/\(release)/kernel/\(name).ko\($0)") }
    }

    /// Overlay accepts idmapped lower layers since 5.19.
    private static var idmappedMounts: HostCheck {
        HostCheck(
            "idmapped mounts", isAtLeast(5, 19), isAtLeast(5, 19) ? "under overlay" : "not under overlay",
            fix: "install Linux 5.19 or later")
    }

    /// cgroups(7): version 2 names its controllers in the root, version 1 has a mount for each.
    private static var cgroups: HostCheck {
        let wanted = ["cpu", "memory", "pids"]
        let unified = HostFile.text("/sys/fs/cgroup/cgroup.controllers").map { text in
            text.split(whereSeparator: \.isWhitespace).map(String.init)
        }
        let mounts = HostFile.text("/proc/mounts")?.split(separator: "\n").map { $0.split(separator: " ") } ?? []
        let separate = mounts.filter { $0.count > 3 && $0[2] == "cgroup" }
            .flatMap { $0[3].split(separator: ",").map(String.init) }
        let found = unified ?? separate
        let missing = wanted.filter { !found.contains($0) }
        return HostCheck(
            "cgroups", missing.isEmpty,
            "version \(unified == nil ? 1 : 2)"
                + (missing.isEmpty
                    ? ", \(wanted.joined(separator: " "))" : ", without \(missing.joined(separator: " "))"),
            fix: "boot with systemd's default unified hierarchy, or mount the missing controllers")
    }

    /// NETLINK_NETFILTER is 12 in linux/netlink.h.
    private static var nftables: HostCheck {
        let socket = Glibc.socket(AF_NETLINK, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 12)
        if socket >= 0 { close(socket) }
        return HostCheck(
            "nf_tables", socket >= 0, isRequired: false,
            socket >= 0 ? "answers" : "no netfilter socket; only blocked networks work", fix: "modprobe nf_tables")
    }

    private static var veth: HostCheck {
        let isModule = hasModule("drivers/net/veth")
        let isLoaded = HostFile.exists("/sys/module/veth") || hasSymbol("veth_xmit")
        return HostCheck(
            "veth", isLoaded || isModule, isRequired: false,
            isLoaded ? "in the kernel" : isModule ? "loaded when needed" : "not found; only blocked networks work",
            fix: "modprobe veth")
    }

    /// Whether a function is built in: a driver without parameters leaves no other trace in `/proc` or `/sys`.
    private static func hasSymbol(_ name: String) -> Bool {
        guard let file = fopen("/proc/kallsyms", "re") else { return false }
        defer { fclose(file) }
        var line: UnsafeMutablePointer<CChar>?
        var capacity = 0
        defer { free(line) }
        while getline(&line, &capacity, file) > 0 {
            if let line, strstr(line, name) != nil { return true }
        }
        return false
    }
}
