import Testing

@testable import SandpoolSandbox

@Suite struct LauncherOptionsTests {
    @Test func whoMayConnectIsAUserOrAName() throws {
        let service = ["--data-dir", "/d", "--socket", "/s"]
        func mode(_ more: String...) throws -> LauncherOptions.Mode { try LauncherOptions(service + more).mode }
        try #expect(mode() == .socket(path: "/s", peer: nil, exitWhenIdleSeconds: nil))
        try #expect(mode("--peer-uid", "7") == .socket(path: "/s", peer: .user(7), exitWhenIdleSeconds: nil))
        try #expect(mode("--peer-user", "a") == .socket(path: "/s", peer: .named("a"), exitWhenIdleSeconds: nil))
        #expect(throws: OptionError.self) { try mode("--peer-user", "a", "--peer-uid", "1") }
        #expect(throws: OptionError.self) { try mode("--peer-uid", "-1") }
        #expect(throws: OptionError.self) { try mode("--peer-user") }
    }

    @Test func overlaysAreOldOnlyWhenItIsSaid() throws {
        let service = ["--data-dir", "/d", "--socket", "/s"]
        try #expect(!LauncherOptions(service).hasOldOverlays)
        try #expect(LauncherOptions(service + ["--overlays", "old"]).hasOldOverlays)
        #expect(throws: OptionError.self) { try LauncherOptions(service + ["--overlays", "new"]) }
    }

    /// Nothing that anybody can connect to makes a sandbox without one of its mechanisms.
    @Test(arguments: Mechanism.allCases) func onlyAMeasurementLeavesAMechanismOut(mechanism: Mechanism) throws {
        let without = ["--data-dir", "/d", "--without", mechanism.rawValue]
        let floor = try LauncherOptions(without + ["--floor", "1"]).mode
        #expect(floor == .floor(count: 1, parallel: 1, without: mechanism))
        #expect(Mechanism.allCases.filter { !Composition(of: floor).has($0) } == [mechanism])
        for service in [["--socket", "/s"], ["--connected-fd", "3"]] {
            #expect(throws: OptionError.self) { try LauncherOptions(without + service) }
            let mode = try LauncherOptions(["--data-dir", "/d"] + service).mode
            #expect(Mechanism.allCases.allSatisfy(Composition(of: mode).has))
        }
        let unknown = ["--data-dir", "/d", "--floor", "1", "--without", "x"]
        #expect(throws: OptionError.self) { try LauncherOptions(unknown) }
    }

    @Test func aNameIsFoundInTheAccountFile() {
        let text = "root:x:0:0:root:/root:/bin/bash\nbroken\nodd:x:many:0::/:\nsandpool:x:998:997::/:/bin/false\n"
        #expect(AccountFile.user(named: "sandpool", in: text) == 998)
        #expect(AccountFile.user(named: "root", in: text) == 0)
        for name in ["sand", "", "broken", "odd", "x"] { #expect(AccountFile.user(named: name, in: text) == nil) }
    }

    @Test func anUnknownNameIsOneLine() {
        let peer = LauncherOptions.Peer.named("nobody-has-this-name")
        let error = #expect(throws: LauncherError.self) { try peer.userID() }
        #expect(error?.description.contains("nobody-has-this-name is not in /etc/passwd") == true)
    }
}
