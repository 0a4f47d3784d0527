import Glibc

/// The `filter` table of iptables-legacy, which nftables does not list (linux/netfilter_ipv4/ip_tables.h).
public struct LegacyFilterTable: Sendable {
    /// Places in the kernel's arrays (linux/netfilter.h).
    public enum Hook: Int, Sendable {
        case input = 1
        case forward = 2
    }

    private let entries: [UInt8]
    private let policies: [Int]

    // struct ipt_getinfo, struct ipt_get_entries and struct ipt_entry.
    private static let infoSize = 84
    private static let underflowOffset = 56
    private static let sizeOffset = 80
    private static let entriesOffset = 40
    private static let entrySize = 112
    private static let targetOffset = 88
    private static let nextOffset = 90
    private static let verdictOffset = 32
    /// NF_DROP as a verdict of the standard target.
    private static let drop: UInt32 = .max
    /// Bound on a table: rules of hosts with thousands of containers take some megabytes.
    private static let sizeLimit = 64 << 20
    private static let tries = 8

    /// The table of the caller's net namespace. Nil where no program has made one: asking for it by name would.
    public static func current() throws(SystemError) -> LegacyFilterTable? {
        let names: String
        do throws(SystemError) {
            let file = try FileDescriptor.open("/proc/self/net/ip_tables_names", O_RDONLY)
            names = String(decoding: try file.readAll(limit: 65_536), as: UTF8.self)
        } catch  where error.code == ENOENT {
            return nil
        }
        guard names.split(separator: "\n").contains("filter") else { return nil }
        for attempt in 1...tries {
            // EAGAIN: somebody replaced it between the two calls.
            do throws(SystemError) { return try LegacyFilterTable() } catch  where error.code == EAGAIN {
                if attempt == tries { throw error }
            }
        }
        return nil
    }

    private init() throws(SystemError) {
        let raw = FileDescriptor(
            owning: try systemCall("socket AF_INET SOCK_RAW") {
                socket(AF_INET, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), Int32(IPPROTO_RAW))
            })
        let info = try Self.ask(raw, option: 64, size: Self.infoSize, sized: nil)
        let size = Int(info[...].hostUInt32(at: Self.sizeOffset))
        guard size <= Self.sizeLimit else { throw SystemError("iptables-legacy table filter", code: EFBIG) }
        policies = (0..<5).map { Int(info[...].hostUInt32(at: Self.underflowOffset + 4 * $0)) }
        let answer = try Self.ask(raw, option: 65, size: Self.entriesOffset + size, sized: UInt32(size))
        entries = Array(answer[Self.entriesOffset...])
    }

    /// IPT_SO_GET_INFO and IPT_SO_GET_ENTRIES: the name of the table goes in, and for the second its size.
    private static func ask(
        _ socket: FileDescriptor, option: Int32, size: Int, sized: UInt32?
    ) throws(SystemError) -> [UInt8] {
        var buffer = Array("filter".utf8) + [UInt8](repeating: 0, count: size - 6)
        if let sized { withUnsafeBytes(of: sized) { buffer.replaceSubrange(32..<36, with: $0) } }
        var length = socklen_t(size)
        try systemCall("getsockopt iptables-legacy table filter") {
            getsockopt(socket.raw, Int32(IPPROTO_IP), option, &buffer, &length)
        }
        return buffer
    }

    /// Whether a packet that no rule decides on is dropped at this hook.
    public func drops(at hook: Hook) -> Bool {
        let entry = policies[hook.rawValue]
        guard entry + Self.entrySize <= entries.count else { return false }
        let verdict = entry + Int(entries[...].hostUInt16(at: entry + Self.targetOffset)) + Self.verdictOffset
        return verdict + 4 <= entries.count && entries[...].hostUInt32(at: verdict) == Self.drop
    }

    /// Whether some rule is about exactly this range, as source or as destination; both in host order.
    public func names(network: UInt32, mask: UInt32) -> Bool {
        let wanted = (network.bigEndian, mask.bigEndian)
        var entry = 0
        while entry + Self.entrySize <= entries.count {
            func field(_ offset: Int) -> UInt32 { entries[...].hostUInt32(at: entry + offset) }
            // Source, destination, and then the mask of each.
            if (field(0), field(8)) == wanted || (field(4), field(12)) == wanted { return true }
            let next = Int(entries[...].hostUInt16(at: entry + Self.nextOffset))
            if next < Self.entrySize { return false }
            entry += next
        }
        return false
    }
}
