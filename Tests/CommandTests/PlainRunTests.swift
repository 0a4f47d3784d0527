import Testing

@testable import SandpoolCommands

@Suite struct PlainRunTests {
    @Test func understandsThePlainForm() throws {
        let plain = try #require(PlainRun(["run", "--image", "host", "--block-network", "--", "echo", "--", "-x"]))
        #expect(plain.command == ["echo", "--", "-x"])
        #expect(plain.image == "host")
        #expect(plain.blockNetwork)
        let open = try #require(PlainRun(["run", "--", "true"]))
        #expect(!open.blockNetwork)
        #expect(open.image == nil)
    }

    /// The argument parser decides about all of these.
    @Test(arguments: [
        [], ["run"], ["run", "--"], ["run", "--", ""], ["run", "true"], ["run", "-i", "--", "cat"],
        ["run", "--local", "--", "true"], ["run", "--image"], ["run", "--image", "--", "true"],
        ["run", "--block-network"], ["run", "--help"], ["submit", "--", "true"], ["--version"],
    ])
    func leavesOtherFormsToTheParser(arguments: [String]) {
        #expect(PlainRun(arguments) == nil)
    }
}
