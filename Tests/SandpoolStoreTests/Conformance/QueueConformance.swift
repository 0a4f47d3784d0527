import SandpoolModel
import SandpoolStore
import Testing

@Suite struct QueueConformance {
    @Test(arguments: StoreKind.allCases)
    func priorityGoesFirstThenAge(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let priorities = [0, 5, -3, 5, 0, 1_000, -1_000]
            let jobs = priorities.map { priority in NewJob.sample { $0.priority = priority } }
            for job in jobs { try await store.add(job) }
            let expected = [5, 1, 3, 0, 4, 2, 6].map { jobs[$0].id }
            #expect(try await store.claimable(limit: 100, after: nil).map(\.id) == expected)
        }
    }

    @Test(arguments: StoreKind.allCases, [1, 2, 3, 7])
    func pagesFollowEachOther(kind: StoreKind, limit: Int) async throws {
        try await kind.withStore { store in
            for index in 0..<14 { try await store.add(.sample { $0.priority = index % 3 }) }
            let whole = try await store.claimable(limit: 100, after: nil)
            var paged: [QueuedJob] = []
            while true {
                let page = try await store.claimable(limit: limit, after: paged.last?.position)
                #expect(page.count <= limit)
                if page.isEmpty { break }
                paged += page
            }
            #expect(paged == whole)
            #expect(whole.count == 14)
        }
    }

    @Test(arguments: StoreKind.allCases, [1, 2, 100])
    func eachDemandIsShownByItsFirstJob(kind: StoreKind, limit: Int) async throws {
        try await kind.withStore { store in
            let demands: [[String: String]] = [[:], ["gpu": "yes"], ["gpu": "no"], ["gpu": "yes", "zone": "a"]]
            var jobs: [[NewJob]] = demands.map { _ in [] }
            for round in 0..<3 {
                for (index, require) in demands.enumerated() {
                    let job = NewJob.sample {
                        $0.require = require
                        $0.priority = round == 1 ? 5 : 0
                    }
                    jobs[index].append(job)
                    try await store.add(job)
                }
            }
            // Neither a job that is held nor one that is delayed counts.
            let worker = try await store.enrol()
            let failing = try await store.add(.sample { ($0.image, $0.retries) = ("scratch", 1) })[0]
            #expect(try await store.end(try await store.run(failing, by: worker), .failure).change?.notBefore != nil)
            var heads: [QueuedJob] = []
            while true {
                let page = try await store.demands(limit: limit, after: heads.last?.demand)
                heads += page
                guard page.count == limit else { break }
            }
            #expect(Set(heads.map(\.id)) == Set(jobs.map { $0[1].id }), "the most urgent of each")
            #expect(heads.count == demands.count)
            for head in heads {
                let line = try await store.claimable(limit: 2, of: head.demand)
                let own = try #require(jobs.first { $0[1].id == head.id })
                #expect(line.map(\.id) == [own[1].id, own[0].id])
                #expect(line.allSatisfy { $0.demand == head.demand && $0.require == head.require })
            }
            #expect(try await store.claimable(limit: 9, of: "of nobody").isEmpty)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aCandidateCarriesWhatTheSchedulerNeeds(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let new = NewJob.sample {
                $0.require = ["gpu": "yes"]
                $0.image = "debian:12"
            }
            try await store.add(new, at: .at(4))
            let candidate = try #require(try await store.claimable(limit: 1, after: nil).first)
            #expect(candidate.id == new.id && candidate.resources == .small && candidate.image == "debian:12")
            #expect(candidate.require == ["gpu": "yes"] && candidate.createdAt == .at(4))
            #expect(candidate.triedWorkers.isEmpty)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aJobIsLeasedOnce(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let worker = try await store.enrol()
            let new = NewJob.sample()
            try await store.add(new)
            let requests = (0..<2).map { _ in LeaseRequest(job: new.id, attempt: .make(at: .origin), worker: worker) }
            let answers = try await store.lease(requests, now: .at(1))
            let lease = LeaseKey(attempt: requests[0].attempt, epoch: 1, worker: worker)
            #expect(answers == [.leased(lease, spec: new.spec), .notClaimable])
            #expect(try await store.claimable(limit: 10, after: nil).isEmpty)
            let job = try await store.existing(new.id)
            #expect(job.state == .starting && job.worker == worker)
            #expect(job.attempts.map(\.id) == [lease.attempt] && job.attempts.map(\.epoch) == [1])
            let live = try #require(try await store.liveAttempts(worker: worker).first)
            #expect(live.lease == lease && live.job == new.id && live.spec == new.spec && live.state == .leased)
            #expect(try await store.liveAttempts(worker: .make(at: .origin)).isEmpty)
            let again = WorkerRegistration.sample(id: worker, bootID: "boot-2")
            _ = try await store.upsertWorker(again, token: nil, now: .at(2))
            #expect(live.bootID == "boot-1", "the proof of its end stays")
            #expect(try await store.liveAttempts(worker: worker).map(\.bootID) == ["boot-1"])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func racingSchedulersShareTheQueue(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let worker = try await store.enrol()
            var ids: [JobID] = []
            for _ in 0..<20 { ids += try await store.add(.sample()) }
            let all = ids
            let leased = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        let requests = all.shuffled().map {
                            LeaseRequest(job: $0, attempt: .make(at: .origin), worker: worker)
                        }
                        return try await store.lease(requests, now: .at(1)).count {
                            if case .leased = $0 { true } else { false }
                        }
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(leased == 20)
            #expect(try await store.counts() == [.starting: 20])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func noLeaseForAnUnknownDrainingOrForgottenWorker(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let (draining, forgotten) = (try await store.enrol(), try await store.enrol())
            #expect(try await store.setDrain(Drain(reason: "upgrade", deadline: nil), worker: draining))
            #expect(try await store.forgetWorker(forgotten, now: .at(1)))
            let job = try await store.add(.sample())[0]
            let workers = [draining, forgotten, WorkerID.make(at: .origin)]
            let requests = workers.map { LeaseRequest(job: job, attempt: .make(at: .origin), worker: $0) }
            let answers = try await store.lease(requests, now: .at(1))
            #expect(answers == [.workerUnavailable, .workerUnavailable, .workerUnavailable])
            #expect(try await store.claimable(limit: 1, after: nil).count == 1)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aJobThatWaitedTooLongTimesOut(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let late = try await store.add(.sample { $0.queueTimeoutSeconds = 10 })[0]
            let later = try await store.add(.sample { $0.queueTimeoutSeconds = 20 })[0]
            let patient = try await store.add(.sample())[0]
            #expect(try await store.nextQueueDeadline() == .at(10))
            #expect(try await store.advanceQueue(now: .at(9.999)).expired == [])
            #expect(try await store.advanceQueue(now: .at(10)).expired == [late])
            let job = try await store.existing(late)
            #expect(job.state == .timedOut && job.cause == .queueTimeout && job.returnCode == 124)
            #expect(job.fault == .user && job.startedAt == nil && job.finishedAt == .at(10) && job.message != nil)
            #expect(try await store.nextQueueDeadline() == .at(20))
            #expect(try await store.claimable(limit: 9, after: nil).map(\.id) == [later, patient])
            #expect(try await store.advanceQueue(now: .at(100)).expired == [later])
            #expect(try await store.nextQueueDeadline() == nil)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func theQueueTimeoutIsOverOnceTheCommandStarted(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let worker = try await store.enrol()
            let id = try await store.add(
                .sample {
                    $0.queueTimeoutSeconds = 10
                    $0.retries = 1
                })[0]
            let lease = try await store.run(id, by: worker)
            #expect(try await store.advanceQueue(now: .at(11)).expired == [])
            #expect(try await store.end(lease, .failure, at: .at(12)).change?.state == .queued)
            #expect(try await store.advanceQueue(now: .at(100)) == QueueAdvance(expired: [], released: 1))
        }
    }
}
