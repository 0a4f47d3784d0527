import Testing

@testable import SandpoolWorker

@Suite struct RenewalFileTests {
    @Test func theNextProcessOfTheSameBootFindsTheNewest() async throws {
        try await TemporaryDirectory.with { directory in
            let path = "\(directory)/renewed"
            let file = RenewalFile(path: path, bootID: "a-boot")
            #expect(file.load() == nil)
            // A shorter line leaves the end of a longer one behind it.
            for (sentMs, replaceMs) in [(1_000_000, 120_000), (5, nil), (77, 1_000)] as [(Int64, Int64?)] {
                let renewal = Renewal(sentMs: sentMs, replaceMs: replaceMs)
                file.save(renewal)
                #expect(RenewalFile(path: path, bootID: "a-boot").load() == renewal)
            }
            #expect(RenewalFile(path: path, bootID: "another").load() == nil)
        }
    }

    /// As on a full disk: the worker starts all the same, and counts from now.
    @Test func aFileThatCannotBeMadeIsGoneWithout() {
        let file = RenewalFile(path: "/nowhere/renewed", bootID: "a-boot")
        file.save(Renewal(sentMs: 1, replaceMs: nil))
        #expect(file.load() == nil)
    }
}
