import SandpoolTestSupport
import Testing

/// The properties that `make fuzz` holds for a million inputs to each decoder, guided by coverage; here for a few
/// thousand that follow from a seed.
@Suite struct FuzzTests {
    private static let rounds = 10_000

    /// A seed that the decoder refuses would leave the fuzzer at its door.
    @Test(arguments: FuzzTarget.all.map(\.name)) func everySeedIsAccepted(name: String) throws {
        let target = try #require(FuzzTarget.all.first { $0.name == name })
        for seed in target.seeds {
            #expect(target.check(seed) == .accepted, "\(String(decoding: seed, as: UTF8.self))")
        }
    }

    @Test(arguments: FuzzTarget.all.map(\.name)) func mutationsAreReadRightOrRefused(name: String) throws {
        let target = try #require(FuzzTarget.all.first { $0.name == name })
        let outcome = Self.fuzz(target, seed: 1)
        #expect(outcome == nil)
    }

    /// The same rounds find what is wrong with a decoder that takes two encodings for one value.
    @Test func aPlantedBugIsFound() throws {
        let target = try #require(FuzzTarget.planted.first { $0.name == "planted-canonical" })
        #expect(Self.fuzz(target, seed: 1)?.contains("another encoding") == true)
    }

    /// As they find one that traps.
    @Test func aPlantedTrapIsMet() async {
        await #expect(processExitsWith: .failure) {
            if let target = FuzzTarget.planted.first { _ = FuzzTests.fuzz(target, seed: 1) }
        }
    }

    /// What broke the target first and with which input; nil when nothing did.
    private static func fuzz(_ target: FuzzTarget, seed: UInt64) -> String? {
        var generator = SplitMix64(seed: seed)
        for _ in 0..<rounds {
            let input = mutate(
                target.seeds.randomElement(using: &generator) ?? [], using: &generator, words: target.words)
            if case .broken(let why) = target.check(input) { return "\(why), from \(input)" }
        }
        return nil
    }
}
