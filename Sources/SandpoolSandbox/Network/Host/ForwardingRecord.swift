import Glibc
import LinuxSystem

/// Which of the host's interfaces forward because of us, written down before they do: a launcher that is killed
/// cannot undo it, and the next one of the same data directory does.
///
/// The first line names the boot and the net namespace that the others are of: in another an interface of the same
/// name is not ours.
struct ForwardingRecord {
    private static let name = "forwarding"
    private static let limit = 1 << 20

    private let directory: FileDescriptor
    private let place: String

    init(in directory: FileDescriptor) throws(SystemError) {
        self.directory = directory
        let boot = try FileDescriptor.open("/proc/sys/kernel/random/boot_id", O_RDONLY).readAll(limit: 64)
        var state = stat()
        try systemCall("stat /proc/self/ns/net") { stat("/proc/self/ns/net", &state) }
        place = "\(String(decoding: boot.filter { $0 > 0x20 }, as: UTF8.self)) \(state.st_ino)"
    }

    /// Replaces what is written.
    func write(_ links: [UInt32: String]) throws(SystemError) {
        if links.isEmpty { return remove() }
        let lines = [place] + links.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        let half = Self.name + ".half"
        _ = unlinkat(directory.raw, half, 0)
        try directory.makeFile(half, Array(lines.joined(separator: "\n").utf8), mode: 0o600)
        try systemCall("rename \(half)") { renameat(directory.raw, half, directory.raw, Self.name) }
    }

    func remove() { _ = unlinkat(directory.raw, Self.name, 0) }

    /// The interfaces of this boot and namespace by their numbers.
    func read() throws(SystemError) -> [UInt32: String] {
        let text: String
        do throws(SystemError) {
            text = try directory.read(Self.name, limit: Self.limit)
        } catch  where error.code == ENOENT {
            return [:]
        }
        let lines = text.split(separator: "\n")
        guard lines.first == Substring(place) else { return [:] }
        var links: [UInt32: String] = [:]
        for line in lines.dropFirst() {
            let fields = line.split(separator: " ", maxSplits: 1)
            if fields.count == 2, let index = UInt32(fields[0]) { links[index] = String(fields[1]) }
        }
        return links
    }

    /// Turns off what an earlier launcher turned on, unless the whole host was made a router meanwhile.
    func restore() throws {
        let written = try read()
        if !written.isEmpty, !Forwarding.isHostRouter() {
            let route = try NetlinkSocket(.route)
            for link in try route.links() where written[link.index] == link.name && link.isForwarding {
                try route.execute(
                    [RouteRequest.set([(.forwarding, 0)], link: link.index)], stage: "stop forwarding on \(link.name)")
            }
        }
        remove()
    }
}
