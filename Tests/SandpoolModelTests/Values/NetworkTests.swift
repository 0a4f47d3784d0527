import SandpoolModel
import Testing

@Suite struct CIDRBlockTests {
    @Test(
        arguments: [
            ("192.0.2.0/24", 0xC000_0200, 24, "192.0.2.0/24"), ("192.0.2.7", 0xC000_0207, 32, "192.0.2.7/32"),
            ("0.0.0.0/0", 0, 0, "0.0.0.0/0"), ("255.255.255.255/32", 0xFFFF_FFFF, 32, "255.255.255.255/32"),
            ("128.0.0.0/1", 0x8000_0000, 1, "128.0.0.0/1"),
        ] as [(String, UInt32, UInt8, String)])
    func parses(text: String, address: UInt32, prefix: UInt8, canonical: String) throws {
        let block = try CIDRBlock(text)
        #expect(block.address == address && block.prefix == prefix && block.description == canonical)
    }

    @Test(arguments: [
        "", "/", "/24", "192.0.2.0/", "192.0.2.0/33", "192.0.2/24", "192.0.2.0.0/24", "256.0.0.0/8", "1.2.3.04",
        "192.0.2.1/24", "0.0.0.1/0", "192.0.2.0/24/24", "192.0.2.0/024", "::/0", "2001:db8::/32", "::ffff:10.0.0.1",
        "a.b.c.d", "1.2.3.4 ", "-1.2.3.4", "+1.2.3.4", "1.2.3.4/+8", "0x7f.1", "2130706433", "1.2.3.4\u{0}",
        "१.2.3.4",
        String(repeating: "1.", count: 100_000),
    ])
    func refuses(text: String) {
        #expect(throws: ValueProblem.self) { try CIDRBlock(text) }
    }

    @Test func namesTheNetworkThatWasMeant() {
        let problem = #expect(throws: ValueProblem.self) { try CIDRBlock("192.0.2.5/24") }
        #expect(problem?.hint == "did you mean 192.0.2.0/24 or 192.0.2.5?")
    }

    @Test func knowsWhatItContains() throws {
        let private10 = try CIDRBlock("10.0.0.0/8")
        #expect(private10.contains(0x0AFF_FFFF) && !private10.contains(0x0B00_0000))
        #expect(try private10.overlaps(CIDRBlock("10.1.0.0/16")) && CIDRBlock("10.1.0.0/16").overlaps(private10))
        #expect(try !private10.overlaps(CIDRBlock("11.0.0.0/8")) && CIDRBlock("0.0.0.0/0").overlaps(private10))
    }
}

@Suite struct DomainPatternTests {
    @Test(arguments: [
        ("example.org", "example.org"), ("EXAMPLE.org.", "example.org"), ("*.Example.org", "*.example.org"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"), ("_dmarc.example.org", "_dmarc.example.org"),
        ("registry", "registry"), ("1.example", "1.example"),
    ])
    func parses(text: String, canonical: String) throws {
        #expect(try DomainPattern(text).description == canonical)
    }

    @Test(arguments: [
        "", ".", "*", "*.", "*.*.org", "a.*.org", "a*.org", "a..b", ".a", "-a.org", "a-.org", "bücher.example",
        "a b.org",
        "127.0.0.1", "1", "a.1", "https://a.org", "a.org/", "a.org:443", "a\u{0}.org", "a.org..",
        String(repeating: "a", count: 64) + ".org", String(repeating: "a.", count: 127) + "org",
    ])
    func refuses(text: String) {
        #expect(throws: ValueProblem.self) { try DomainPattern(text) }
    }

    @Test(
        arguments: [
            ("example.org", "example.org", true), ("example.org", "EXAMPLE.ORG.", true),
            ("example.org", "a.example.org", false),
            ("example.org", "badexample.org", false), ("*.example.org", "a.example.org", true),
            ("*.example.org", "a.b.example.org", true), ("*.example.org", "example.org", false),
            ("*.example.org", ".example.org", false), ("*.example.org", "badexample.org", false),
            ("*.example.org", "example.org.evil", false), ("example.org", "", false),
        ] as [(String, String, Bool)])
    func matches(pattern: String, name: String, expected: Bool) throws {
        #expect(try DomainPattern(pattern).matches(name) == expected)
    }
}
