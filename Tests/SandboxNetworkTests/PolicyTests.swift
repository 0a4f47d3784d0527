import Testing

@testable import SandpoolSandbox

@Suite("Egress policies")
struct PolicyTests {
    @Test(
        "Ranges are read strictly",
        arguments: [
            ("10.0.0.0/8", true), ("1.2.3.4", true), ("0.0.0.0/0", true), ("255.255.255.255/32", true),
            ("10.0.0.1/8", false), ("10.0.0.0/33", false), ("10.0.0/8", false), ("10.0.0.0/", false),
            ("10.0.0.0/8/8", false), ("010.0.0.0/8", false), ("256.0.0.0/8", false), ("+1.2.3.4", false),
            (" 1.2.3.4", false), ("1.2.3.4/08", false), ("", false), ("٣.2.3.4", false),
        ])
    func ranges(text: String, isValid: Bool) {
        #expect((IPv4Network(text) != nil) == isValid)
    }

    @Test(
        "Patterns match what they say",
        arguments: [
            ("example.org", "example.org", true), ("example.org", "www.example.org", false),
            ("*.example.org", "www.example.org", true), ("*.example.org", "a.b.example.org", true),
            ("*.example.org", "example.org", false), ("*.example.org", "badexample.org", false),
            ("Example.ORG.", "example.org", true), ("_dns.example.org", "_dns.example.org", true),
        ])
    func patterns(pattern: String, name: String, matches: Bool) throws {
        #expect(try #require(DomainPattern(pattern)).matches(name) == matches)
    }

    @Test(
        "What is no name is refused",
        arguments: [
            "", ".", "*", "*.", "a..b", "a b", "-a.org", "a-.org", "*.*.org", "a.*", "ex\u{e4}mple.org", "1.2.3.4",
        ])
    func badPatterns(text: String) { #expect(DomainPattern(text) == nil) }

    @Test("Ranges become disjoint ones with the same addresses")
    func merged() {
        let ranges: [ClosedRange<UInt32>] = [20...30, 0...5, 6...10, 25...40, 22...23, .max...(.max), 50...(.max)]
        #expect(ranges.merged == [0...10, 20...40, 50...(.max)])
    }

    @Test("Too many of anything is refused")
    func bounds() {
        let many = [String](repeating: "10.0.0.0/8", count: EgressPolicy.networkLimit + 1)
        let names = [String](repeating: "example.org", count: EgressPolicy.domainLimit + 1)
        #expect(throws: NetworkError.self) { try EgressPolicy(allowCIDRs: many, allowDomains: [], openedCIDRs: []) }
        #expect(throws: NetworkError.self) { try EgressPolicy(allowCIDRs: [], allowDomains: [], openedCIDRs: many) }
        #expect(throws: NetworkError.self) { try EgressPolicy(allowCIDRs: [], allowDomains: names, openedCIDRs: []) }
    }

    @Test("A number that was given back is used last")
    func slots() {
        var slots = SlotQueue(count: 3)
        #expect((0..<4).map { _ in slots.take() } == [0, 1, 2, nil])
        slots.giveBack(1)
        slots.giveBack(0)
        #expect((0..<3).map { _ in slots.take() } == [1, 0, nil])
        for _ in 0..<10_000 {
            slots.giveBack(2)
            #expect(slots.take() == 2)
        }
    }

    @Test("After an upgrade no number that is in use is taken, and fresh ones come first")
    func takenOverSlots() {
        var slots = SlotQueue(count: 4, fresh: 3, inUse: [1])
        #expect((0..<4).map { _ in slots.take() } == [3, 0, 2, nil])
        slots.giveBack(1)
        #expect((0..<2).map { _ in slots.take() } == [1, nil])
    }

    @Test("The host's servers are read from resolv.conf")
    func resolver() {
        let text = "# one\nnameserver 127.0.0.53\n; two\nnameserver ::1\nnameserver bad\noptions edns0\n"
            + "nameserver\t10.0.0.2\nnameserver 10.0.0.3\n"
        let servers = ResolverConfiguration.parse(text)
        #expect(servers.count == 3)
        #expect(servers.first == .ipv4(0x7f00_0035, port: 53))
        #expect(servers.last == .ipv4(0x0a00_0002, port: 53))
    }
}
