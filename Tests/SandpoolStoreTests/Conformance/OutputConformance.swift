import SandpoolModel
import SandpoolStore
import Testing

@Suite struct OutputConformance {
    @Test(arguments: StoreKind.allCases)
    func shortOutputIsStoredWithTheResult(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let worker = try await store.enrol()
            let id = try await store.add(.sample())[0]
            let lease = try await store.run(id, by: worker)
            let tails = [
                InlineOutput(stream: .stderr, offset: 0, bytes: [0, 255, 10]),
                InlineOutput(stream: .stdout, offset: 7, bytes: [UInt8](repeating: 65, count: 32_768)),
            ]
            let running = AttemptOutput(isComplete: false, tails: [])
            #expect(try await store.output(of: lease.attempt) == running)
            let report = ResultReport.sample(lease, tails: tails, downloads: "sha256:ab")
            #expect(try await store.recordResults([report], now: .at(3)).map(\.verdict) == [.recorded])
            let output = AttemptOutput(isComplete: true, tails: tails)
            #expect(try await store.output(of: lease.attempt) == output)
            #expect(try await store.output(of: .make(at: .origin)) == nil)
            #expect(try await store.downloads(of: id) == "sha256:ab")
            #expect(try await store.downloads(of: .make(at: .origin)) == nil)
            let attempt = try #require(try await store.existing(id).attempts.first)
            #expect(attempt.evidence == report.evidence && attempt.outcome == .success)
        }
    }

    static let malformed: [(String, @Sendable (inout ResultReport) -> Void)] = [
        (
            "too long a tail",
            { $0.tails = [InlineOutput(stream: .stdout, offset: 0, bytes: .init(repeating: 0, count: 32_769))] }
        ),
        ("an empty tail", { $0.tails = [InlineOutput(stream: .stdout, offset: 0, bytes: [])] }),
        ("a negative offset", { $0.tails = [InlineOutput(stream: .stdout, offset: -1, bytes: [1])] }),
        ("two tails of a stream", { $0.tails = [0, 1].map { InlineOutput(stream: .stdout, offset: $0, bytes: [1]) } }),
        ("exit code 256", { $0.outcome.exitCode = 256 }),
        ("an exit code and a signal", { $0.outcome.signal = 9 }),
        ("no exit code", { $0.outcome.exitCode = nil }),
        ("signal 65", { $0.outcome = Outcome(cause: .signaled, signal: 65) }),
        ("no digest", { $0.downloads = "" }),
    ]

    @Test(arguments: StoreKind.allCases, malformed.indices)
    func aMalformedResultIsRefusedWhole(kind: StoreKind, index: Int) async throws {
        try await kind.withStore { store in
            let (what, spoil) = Self.malformed[index]
            let worker = try await store.enrol()
            let lease = try await store.run(try await store.add(.sample())[0], by: worker)
            var report = ResultReport.sample(lease)
            spoil(&report)
            let spoiled = report
            await #expect(throws: StoreError.self, "\(what)") {
                try await store.recordResults([.sample(lease), spoiled], now: .at(3))
            }
            #expect(try await store.counts() == [.running: 1])
            #expect(try await store.end(lease).verdict == .recorded)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aLongMessageIsCut(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let worker = try await store.enrol()
            let id = try await store.add(.sample())[0]
            let lease = try await store.run(id, by: worker)
            let long = Outcome(cause: .oom, message: String(repeating: "é", count: 100_000))
            _ = try await store.end(lease, long)
            #expect(try await store.existing(id).message?.count == StoreLimits.messageCharacters)
        }
    }
}
