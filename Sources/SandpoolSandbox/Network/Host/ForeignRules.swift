import LinuxSystem

/// Other programs' firewalls. A packet passes only when every table lets it, so a policy of drop on the way
/// of sandboxes' packets (Docker, ufw, firewalld) cuts them off whatever our own table says.
enum ForeignRules {
    private static let inet: UInt8 = 1
    private static let ipv4: UInt8 = 2

    /// Throws when a chain drops by default what sandboxes need and its table has no rule that names our
    /// range: then nobody has told it about us.
    static func check(plan: AddressPlan, socket: NetlinkSocket) throws {
        try checkLegacy(plan)
        for chain in try socket.baseChains() where chain.policyDrops && chain.table != plan.table {
            guard chain.family == inet || chain.family == ipv4, let advice = advice(for: chain, plan) else { continue }
            if try names(plan, in: chain, socket) { continue }
            throw NetworkError(
                "open network: chain \(chain.name) of this host's firewall (table \(chain.table)) drops what "
                    + "sandboxes \(told(chain.hook == .forward)); run: \(advice)")
        }
    }

    /// The same of iptables-legacy, whose one table with policies the kernel shows by another way.
    private static func checkLegacy(_ plan: AddressPlan) throws(NetworkError) {
        let table: LegacyFilterTable
        do throws(SystemError) {
            guard let found = try LegacyFilterTable.current() else { return }
            table = found
        } catch {
            Diagnostics.write(
                "open network: this host has rules of iptables-legacy that cannot be read (\(error)): where they drop "
                    + "forwarded packets, sandboxes reach nothing")
            return
        }
        let range = plan.network.range
        if table.names(network: range.lowerBound, mask: ~(range.lowerBound ^ range.upperBound)) { return }
        for (hook, chain) in [(LegacyFilterTable.Hook.forward, "FORWARD"), (.input, "INPUT")]
        where table.drops(at: hook) {
            throw NetworkError(
                "open network: chain \(chain) of this host's firewall (iptables-legacy) drops what sandboxes "
                    + "\(told(hook == .forward)); run: " + iptablesAdvice("iptables-legacy", hook == .forward, plan))
        }
    }

    private static func told(_ isForwarded: Bool) -> String { isForwarded ? "send out" : "ask its resolver" }

    private static func iptablesAdvice(_ program: String, _ isForwarded: Bool, _ plan: AddressPlan) -> String {
        let range = plan.network
        return isForwarded
            ? "\(program) -I FORWARD -s \(range) -j ACCEPT; \(program) -I FORWARD -d \(range) -j ACCEPT"
            : "\(program) -I INPUT -s \(range) -d \(IPv4Address.text(plan.gateway)) -j ACCEPT"
    }

    private static func advice(for chain: NftablesBaseChain, _ plan: AddressPlan) -> String? {
        let range = plan.network
        let gateway = IPv4Address.text(plan.gateway)
        // iptables-nft keeps its chains in tables of these names, with the chains' names in capitals.
        let isIptables = chain.table == "filter" && chain.name.allSatisfy { $0.isUppercase }
        switch chain.hook {
        case .forward where isIptables:
            return iptablesAdvice("iptables", true, plan)
        case .forward:
            let rule = "nft insert rule \(chain.family == inet ? "inet" : "ip") \(chain.table) \(chain.name)"
            return "\(rule) ip saddr \(range) accept; \(rule) ip daddr \(range) accept"
        case .input where isIptables:
            return iptablesAdvice("iptables", false, plan)
        case .input:
            let rule = "nft insert rule \(chain.family == inet ? "inet" : "ip") \(chain.table) \(chain.name)"
            return "\(rule) ip saddr \(range) ip daddr \(gateway) accept"
        case .output, .postrouting, nil:
            return nil
        }
    }

    /// A prefix of whole bytes is compared as those bytes, by `nft` and by `iptables-nft`.
    private static func names(
        _ plan: AddressPlan, in chain: NftablesBaseChain, _ socket: NetlinkSocket
    ) throws -> Bool {
        let prefix = [UInt8(plan.network.address >> 24), UInt8(plan.network.address >> 16 & 0xff)]
        return try socket.hasRule(comparing: prefix, family: chain.family, table: chain.table)
            || socket.hasRule(comparing: prefix + [0, 0], family: chain.family, table: chain.table)
    }
}
