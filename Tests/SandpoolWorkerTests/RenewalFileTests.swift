import Testing

@testable import SandpoolWorker

@Suite struct RenewalFileTests {
    @Test func theNextProcessOfTheSameBootFindsTheNewest() async throws {
        try await TemporaryDirectory.with { directory in
            let path = "\(directory)/renewed"
            let file = try RenewalFile(path: path, bootID: "a-boot")
            #expect(file.load() == nil)
            // A shorter line leaves the end of a longer one behind it.
            for moment in [1_000_000, 5, 77] as [Int64] {
                file.save(moment)
                #expect(try RenewalFile(path: path, bootID: "a-boot").load() == moment)
            }
            #expect(try RenewalFile(path: path, bootID: "another").load() == nil)
        }
    }
}
