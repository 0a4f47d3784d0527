import Foundation
import Testing

/// A seed is a world: the program that runs it says the same twice, event by event.
@Suite struct ReplayTests {
    /// The program, as the build left it beside the test bundle.
    private static let program: URL = {
        let bundle = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        let beside = bundle.appendingPathComponent("Simulate")
        if FileManager.default.isExecutableFile(atPath: beside.path) { return beside }
        return URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent(".build/debug/Simulate")
    }()

    private func simulate(_ arguments: String...) throws -> (output: String, code: Int32) {
        let process = Process()
        let output = Pipe()
        process.executableURL = Self.program
        process.arguments = arguments
        process.standardOutput = output
        try process.run()
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (String(decoding: bytes, as: UTF8.self), process.terminationStatus)
    }

    @Test(arguments: [3, 1_000_003, 77_777]) func oneSeedGivesOneWorld(seed: Int) throws {
        let first = try simulate("--seed", "\(seed)", "--trace")
        #expect(first.code == 0, "\(first.output.suffix(500))")
        #expect(first.output.split(separator: "\n").count > 100)
        #expect(try simulate("--seed", "\(seed)", "--trace").output == first.output)
        #expect(try simulate("--seed", "\(seed + 1)", "--trace").output != first.output)
    }

    /// The program says so with its status where a world goes wrong.
    @Test func aBrokenVariantFails() throws {
        let found = try simulate("--variant", "resultAfterTeardown", "--seeds", "300")
        #expect(found.code == 1)
        #expect(found.output.contains("WRONG: seed "))
    }
}
