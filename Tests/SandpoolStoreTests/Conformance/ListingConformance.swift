import SandpoolModel
import SandpoolStore
import Testing

@Suite struct ListingConformance {
    @Test(arguments: StoreKind.allCases)
    func jobsAreListedNewestFirstByStateTagAndLimit(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let worker = try await store.enrol()
            var ids: [JobID] = []
            for index in 0..<6 {
                ids += try await store.add(
                    .sample { $0.tags = index.isMultiple(of: 2) ? ["os": "linux", "n": "even"] : ["os": "linux"] })
            }
            _ = try await store.cancel(ids[0], now: .at(1))
            _ = try await store.run(ids[1], by: worker)
            _ = try await store.end(try await store.run(ids[2], by: worker))

            func listed(_ states: Set<JobState> = [], _ tags: [String: String] = [:], limit: Int = 10) async throws
                -> [Int]
            {
                try await store.jobs(JobQuery(states: states, tags: tags, limit: limit)).compactMap {
                    ids.firstIndex(of: $0.id)
                }
            }
            #expect(try await listed() == [5, 4, 3, 2, 1, 0])
            #expect(try await listed(limit: 2) == [5, 4])
            #expect(try await listed([.queued]) == [5, 4, 3])
            #expect(try await listed([.queued, .running, .cancelled]) == [5, 4, 3, 1, 0])
            #expect(try await listed([.queued, .running, .cancelled], limit: 4) == [5, 4, 3, 1])
            #expect(try await listed([], ["n": "even"]) == [4, 2, 0])
            #expect(try await listed([], ["n": "even", "os": "linux"], limit: 2) == [4, 2])
            #expect(try await listed([.succeeded, .cancelled], ["n": "even"]) == [2, 0])
            #expect(try await listed([], ["n": "odd"]) == [])
            #expect(try await listed([.errored]) == [])
            #expect(try await store.counts() == [.queued: 3, .cancelled: 1, .running: 1, .succeeded: 1])
        }
    }

    @Test(arguments: StoreKind.allCases, [0, -1, StoreLimits.page + 1])
    func aPageHasBounds(kind: StoreKind, limit: Int) async throws {
        try await kind.withStore { store in
            await #expect(throws: StoreError.self) { try await store.jobs(JobQuery(limit: limit)) }
            await #expect(throws: StoreError.self) { try await store.claimable(limit: limit, after: nil) }
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aReferenceIsAnIdANameASuffixOrTheLast(kind: StoreKind) async throws {
        try await kind.withStore { store in
            #expect(try await store.resolve(.last) == .notFound)
            let first = try await store.add(.sample { $0.name = "build" })[0]
            let second = try await store.add(.sample { $0.name = "build" })[0]
            let third = try await store.add(.sample())[0]
            #expect(try await store.resolve(.last) == .found(third))
            #expect(try await store.resolve(.id(first)) == .found(first))
            #expect(try await store.resolve(.id(.make(at: .origin))) == .notFound)
            #expect(try await store.resolve(try JobReference("build")) == .found(second))
            #expect(try await store.resolve(try JobReference(third.short)) == .found(third))
            #expect(try await store.resolve(try JobReference("nothing")) == .notFound)
            #expect(try await store.resolve(.named("x", suffix: "zzzzzzzzzzzz")) == .notFound)
            // A name wins over the end of an id that reads the same.
            let named = try await store.add(.sample { $0.name = third.short })[0]
            #expect(try await store.resolve(try JobReference(third.short)) == .found(named))
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aSuffixOfSeveralIsNeverAGuess(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let ids = try (0..<10).map { index in
                try #require(JobID("sb-01k000000000000000000\(index)abcd"))
            }
            for id in ids {
                try await store.add(
                    NewJob(id: id, spec: JobSpec(command: ["true"]), resources: .small, fingerprint: ""))
            }
            let newest = Array(ids.reversed().prefix(StoreLimits.ambiguousMatches))
            #expect(try await store.resolve(try JobReference("abcd")) == .ambiguous(newest))
            #expect(try await store.resolve(try JobReference("7abcd")) == .found(ids[7]))
        }
    }
}
