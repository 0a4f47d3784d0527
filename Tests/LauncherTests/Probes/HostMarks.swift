import Foundation

/// What an attack on the host would have changed: settings, interfaces, mounts, objects in memory and files. Only what
/// no other program that runs at the same time changes is looked at.
struct HostMarks: Equatable {
    private var settings: [String: String] = [:]
    private var interfaces: [String] = []
    private var mounts: [String] = []
    private var sharedMemory: String
    private var files: [String]
    private var namespaces: [String: String] = [:]

    private static let settingPaths = [
        "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sys/kernel/hostname",
        "/proc/sys/kernel/panic_on_oops", "/proc/sys/kernel/printk", "/proc/sys/kernel/shmmax", "/proc/swaps",
        "/proc/sys/kernel/randomize_va_space",
    ]

    init(launcher: LauncherProcess) throws {
        for path in Self.settingPaths { settings[path] = try? String(contentsOfFile: path, encoding: .utf8) }
        // Names that probes would use or leave.
        let names = try FileManager.default.contentsOfDirectory(atPath: "/sys/class/net")
        interfaces = names.filter { $0 == "lo" || $0.hasPrefix("probe") }.sorted()
        mounts = hostMounts(below: launcher.dataDirectory) + hostMounts(below: "sandpool-probe")
        sharedMemory = (try? String(contentsOfFile: "/proc/sysvipc/shm", encoding: .utf8)) ?? ""
        // Below `run` are mounts, in a namespace of the launcher's own; spools have no names.
        files = try FileManager.default.subpathsOfDirectory(atPath: launcher.dataDirectory).sorted()
        for kind in ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup"] {
            namespaces[kind] = try? FileManager.default.destinationOfSymbolicLink(
                atPath: "/proc/\(launcher.pid)/ns/\(kind)")
        }
    }
}
