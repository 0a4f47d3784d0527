/// The /16 that one launcher's sandboxes have their addresses from, and how it is divided: `.0.1` is the
/// gateway, sandboxes begin at `.1.0`.
public struct AddressPlan: Equatable, Sendable {
    /// Launchers of one host (the service and a `--local` of root) take different numbers.
    public let number: Int
    public let network: IPv4Network

    /// Bound on open sandboxes of one launcher at a time.
    static let slotCount = 4_096
    private static let firstSandbox: UInt32 = 256

    /// Ranges that are rarely in use; the first that overlaps no route of the host is taken.
    public static let candidates: [AddressPlan] = {
        let networks = [(10, 207), (10, 219), (10, 231), (10, 243), (172, 29), (172, 30), (10, 189), (10, 177)]
        return networks.enumerated().map { index, pair in
            let address = UInt32(pair.0) << 24 | UInt32(pair.1) << 16
            return AddressPlan(number: index, network: IPv4Network(address: address, prefixLength: 16))
        }
    }()

    static var noneIsFree: NetworkError {
        let list = candidates.map(\.network.description).joined(separator: ", ")
        return NetworkError("open network: this host has routes into each of \(list); free one of them")
    }

    static var allInUse: NetworkError {
        NetworkError("open network: all \(slotCount) addresses are in use; run fewer sandboxes")
    }

    public var gateway: UInt32 { network.address + 1 }

    func address(slot: Int) -> UInt32 { network.address + Self.firstSandbox + UInt32(slot) }

    /// At most `sp32767`: well under the 15 bytes that an interface's name may have.
    func interfaceName(slot: Int) -> String { "sp\(number * Self.slotCount + slot)" }

    /// Whether an interface of this name is of this plan.
    func owns(interface name: String) -> Bool {
        guard name.hasPrefix("sp"), let index = Int(name.dropFirst(2)) else { return false }
        return (number * Self.slotCount..<(number + 1) * Self.slotCount).contains(index)
    }

    /// The host's nftables table.
    var table: String { number == 0 ? "sandpool" : "sandpool-\(number)" }
}
