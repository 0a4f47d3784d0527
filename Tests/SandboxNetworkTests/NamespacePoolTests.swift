import Testing

@Suite("Pools of namespaces", .enabled(if: isRoot, "net namespaces take root"))
struct NamespacePoolTests {
    @Test("Only as many as configured are made ahead, and open ones only after the first was asked for")
    func bounds() throws {
        let topology = try Topology()
        #expect(try topology.launcher.ask("refill") == "ok 3")
        #expect(try topology.launcher.ask("refill") == "ok 0")
        #expect(try topology.inHost("ip", "-o", "link").contains("sp0") == false)
        _ = try topology.takeOpen()
        #expect(try topology.launcher.ask("refill") == "ok 2")
        #expect(try topology.launcher.ask("refill") == "ok 0")
        _ = try topology.take("two", "blocked")
        #expect(try topology.launcher.ask("refill") == "ok 1")
    }

    @Test("Each is used once", arguments: ["blocked", "open   "])
    func usedOnce(policy: String) throws {
        let topology = try Topology()
        var seen: Set<String> = []
        for round in 0..<12 {
            if round % 3 == 0 { _ = try topology.launcher.ask("refill") }
            let sandbox = try topology.take("s\(round)", policy)
            // Held open by the launcher, so that its number is not used again.
            #expect(seen.insert(try sandbox.run("readlink", "/proc/self/ns/net")).inserted)
            if round % 2 == 0 { #expect(try topology.launcher.ask("refill").hasPrefix("ok")) }
        }
    }

    @Test("The network of a sandbox that is gone goes with it")
    func goes() throws {
        let topology = try Topology()
        _ = try topology.takeOpen("kept")
        for round in 0..<20 {
            _ = try topology.takeOpen("s\(round)")
            #expect(try topology.launcher.ask("give s\(round)") == "ok")
        }
        var links = ""
        for _ in 0..<500 {
            links = try topology.inHost("ip", "-o", "link")
            if !links.contains("altname s") { break }
        }
        #expect(!links.contains("altname s"))
        #expect(links.contains("altname kept"))
    }
}
