import SandpoolModel
import SandpoolStore
import Testing

@Suite struct SubmitConformance {
    @Test(arguments: StoreKind.allCases)
    func aJobReadsAsItWasStored(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let new = NewJob.sample { spec in
                spec.name = "build"
                spec.tags = ["team": "a", "näme": "ü/\""]
                spec.image = "debian:12"
                spec.environment = ["A": "1"]
                spec.timeoutSeconds = 2.5
                spec.priority = -7
            }
            try await store.add(new, at: .at(1))
            let job = try await store.existing(new.id)
            #expect(job.spec == new.spec)
            #expect(job.tags == new.spec.tags && job.name == "build" && job.image == "debian:12")
            #expect(job.state == .queued && job.createdAt == .at(1) && job.attempts.isEmpty)
            #expect(job.returnCode == nil && job.cause == nil && job.startedAt == nil && job.finishedAt == nil)
            #expect(try await store.job(.make(at: .origin)) == nil)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func theSameKeyAndFingerprintNameTheSameJob(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let first = NewJob.sample(key: "nightly")
            try await store.add(first)
            let again = try await store.submit([.sample(key: "nightly")], now: .at(1))
            #expect(again == .stored([SubmittedJob(id: first.id, isNew: false)]))
            #expect(try await store.counts() == [.queued: 1])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func anotherFingerprintRefusesTheWholeArray(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let first = NewJob.sample(key: "nightly")
            try await store.add(first)
            let mixed = [NewJob.sample(), NewJob.sample(key: "nightly", fingerprint: "two"), NewJob.sample()]
            #expect(try await store.submit(mixed, now: .at(1)) == .conflict(index: 1, existing: first.id))
            #expect(try await store.counts() == [.queued: 1])
            #expect(try await store.job(mixed[0].id) == nil)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aKeyIsSharedWithinOneArray(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let (first, second) = (NewJob.sample(key: "k"), NewJob.sample(key: "k"))
            #expect(
                try await store.submit([first, second], now: .origin)
                    == .stored([SubmittedJob(id: first.id, isNew: true), SubmittedJob(id: first.id, isNew: false)]))
            #expect(try await store.counts() == [.queued: 1])
            let third = NewJob.sample(key: "n")
            let conflict = try await store.submit([third, .sample(key: "n", fingerprint: "two")], now: .origin)
            #expect(conflict == .conflict(index: 1, existing: third.id))
            #expect(try await store.job(third.id) == nil)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func racingSubmissionsOfOneKeyMakeOneJob(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let ids = try await withThrowingTaskGroup(of: SubmitOutcome.self) { group in
                for _ in 0..<32 { group.addTask { try await store.submit([.sample(key: "race")], now: .origin) } }
                var ids: Set<JobID> = []
                var created = 0
                for try await case .stored(let jobs) in group {
                    ids.formUnion(jobs.map(\.id))
                    created += jobs.count { $0.isNew }
                }
                #expect(created == 1)
                return ids
            }
            #expect(ids.count == 1)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func tooManyAtOnceAreRefused(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let many = [NewJob](repeating: .sample(), count: StoreLimits.batch + 1)
            await #expect(throws: StoreError.self) { try await store.submit(many, now: .origin) }
            let none = try await store.submit([], now: .origin)
            #expect(none == .stored([]))
        }
    }
}
