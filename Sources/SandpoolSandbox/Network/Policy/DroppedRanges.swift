/// Addresses that no sandbox reaches unless the host's operator opened them: those of this host, of private
/// networks and of clouds' metadata services.
public enum DroppedRanges {
    public static let networks: [IPv4Network] = [
        network(0, 0, 0, 0, 8),  // "this network", which Linux takes for the host itself
        network(10, 0, 0, 0, 8),
        network(100, 64, 0, 0, 10),  // carrier NAT; also 100.100.100.200, Alibaba Cloud's metadata
        network(127, 0, 0, 0, 8),
        network(168, 63, 129, 16, 32),  // Azure's host agent
        network(169, 254, 0, 0, 16),  // link-local; also the metadata of most clouds
        network(172, 16, 0, 0, 12),
        network(192, 168, 0, 0, 16),
        network(198, 18, 0, 0, 15),  // benchmarking
        network(224, 0, 0, 0, 3),  // multicast, reserved, broadcast
    ]

    public static func contains(_ address: UInt32) -> Bool { networks.contains { $0.contains(address) } }

    private static func network(_ a: UInt32, _ b: UInt32, _ c: UInt32, _ d: UInt32, _ length: UInt8) -> IPv4Network {
        IPv4Network(address: a << 24 | b << 16 | c << 8 | d, prefixLength: length)
    }
}
