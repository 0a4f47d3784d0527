import Glibc
import LinuxSystem
import SandpoolModel

/// What this process may use of the host: the machine, cut by the cgroups that it is in.
struct HostCapacity: Hashable, Sendable {
    /// Kept back for the host and for Sandpool itself.
    static let memoryReserve: Int64 = 256 << 20
    static let diskReserve: Int64 = 1 << 30

    var resources: Resources

    /// Reads sched_getaffinity(2), `/proc/meminfo`, the cgroup's `cpu.max`, `memory.max` (v2) or
    /// `cpu.cfs_quota_us`, `memory.limit_in_bytes` (v1), and statvfs(3) of the data directory.
    static func detect(dataDirectory: String, cgroups: CgroupLimits = .current()) -> HostCapacity {
        var cpuMillis = Int64(max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))) * 1_000
        if let limit = cgroups.cpuMillis { cpuMillis = min(cpuMillis, max(limit, 1)) }
        var memory = Int64(sysconf(Int32(_SC_PHYS_PAGES))) * Int64(sysconf(Int32(_SC_PAGESIZE)))
        if let limit = cgroups.memoryBytes { memory = min(memory, limit) }
        var status = statvfs()
        let disk = statvfs(dataDirectory, &status) == 0 ? Int64(status.f_bavail) * Int64(status.f_frsize) : 0
        return HostCapacity(
            resources: Resources(
                cpuMillis: cpuMillis, memoryBytes: afterReserve(memory, memoryReserve),
                diskBytes: afterReserve(disk, diskReserve)))
    }

    /// Never more than half goes to the reserve, so that a small host still offers something.
    private static func afterReserve(_ bytes: Int64, _ reserve: Int64) -> Int64 { bytes - min(reserve, bytes / 2) }
}

/// Limits of the cgroup that this process is in, and of those above it.
struct CgroupLimits: Hashable, Sendable {
    var cpuMillis: Int64?
    var memoryBytes: Int64?

    static func current() -> CgroupLimits {
        let membership = (try? text("/proc/self/cgroup")) ?? ""
        var limits = CgroupLimits()
        for line in membership.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            let controllers = fields[1].split(separator: ",").map(String.init)
            var path = String(fields[2])
            // Every ancestor's limit holds as well.
            while true {
                limits.take(controllers: controllers, path: path)
                guard let slash = path.lastIndex(of: "/"), path != "/" else { break }
                path = slash == path.startIndex ? "/" : String(path[..<slash])
            }
        }
        return limits
    }

    private mutating func take(controllers: [String], path: String) {
        if controllers.isEmpty {
            let base = "/sys/fs/cgroup\(path)"
            take(cpuMillis: (try? Self.text("\(base)/cpu.max")).flatMap(Self.cpuMax))
            take(memoryBytes: (try? Self.text("\(base)/memory.max")).flatMap(Self.number))
        }
        if controllers.contains("cpu") {
            let base = "/sys/fs/cgroup/cpu\(path)"
            let quota = (try? Self.text("\(base)/cpu.cfs_quota_us")).flatMap(Self.number)
            let period = (try? Self.text("\(base)/cpu.cfs_period_us")).flatMap(Self.number)
            if let quota, let period, quota > 0, period > 0 { take(cpuMillis: quota * 1_000 / period) }
        }
        if controllers.contains("memory") {
            take(
                memoryBytes: (try? Self.text("/sys/fs/cgroup/memory\(path)/memory.limit_in_bytes")).flatMap(Self.number)
            )
        }
    }

    private mutating func take(cpuMillis limit: Int64?) {
        if let limit { cpuMillis = min(cpuMillis ?? limit, limit) }
    }

    private mutating func take(memoryBytes limit: Int64?) {
        if let limit { memoryBytes = min(memoryBytes ?? limit, limit) }
    }

    /// `cpu.max`: `QUOTA PERIOD` in microseconds, or `max PERIOD`.
    static func cpuMax(_ text: String) -> Int64? {
        let fields = text.split(whereSeparator: \.isWhitespace).map { Int64($0) }
        guard fields.count == 2, let quota = fields[0], let period = fields[1], period > 0 else { return nil }
        return quota * 1_000 / period
    }

    private static func number(_ text: String) -> Int64? { Int64(text.filter { !$0.isWhitespace }) }

    private static func text(_ path: String) throws -> String {
        String(decoding: try FileDescriptor.open(path, O_RDONLY).readAll(limit: 65_536), as: UTF8.self)
    }
}
