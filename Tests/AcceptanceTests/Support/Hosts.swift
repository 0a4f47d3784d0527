import Foundation

/// Network namespaces joined by veth pairs, as hosts on a network: a hub with one link to each spoke.
///
/// The names carry this process's id, so that clean-up removes what this test made and nothing else.
struct Hosts {
    let hub: String
    let spokes: [String]
    private static let prefix = "spt\(ProcessInfo.processInfo.processIdentifier)"

    init(spokes count: Int) throws {
        hub = "\(Self.prefix)-hub"
        spokes = (1...count).map { "\(Self.prefix)-\($0)" }
        for name in [hub] + spokes {
            try Self.ip(["netns", "add", name])
            try Self.ip(["-n", name, "link", "set", "lo", "up"])
        }
        for (index, spoke) in spokes.enumerated() {
            let port = "\(Self.prefix)p\(index)"
            try Self.ip([
                "-n", hub, "link", "add", port, "type", "veth", "peer", "name", "uplink", "netns", spoke,
            ])
            try Self.ip(["-n", hub, "addr", "add", "\(hubAddress(index))/30", "dev", port])
            try Self.ip(["-n", hub, "link", "set", port, "up"])
            try Self.ip(["-n", spoke, "addr", "add", "10.99.\(index).2/30", "dev", "uplink"])
            try Self.ip(["-n", spoke, "link", "set", "uplink", "up"])
        }
    }

    /// The hub's address as spoke number `index` sees it.
    func hubAddress(_ index: Int) -> String { "10.99.\(index).1" }

    func remove() {
        for name in [hub] + spokes { try? Self.ip(["netns", "delete", name]) }
    }

    private static func ip(_ arguments: [String]) throws {
        try Command.check("/usr/bin/env", ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "ip"] + arguments)
    }
}
