import SandpoolModel
import SandpoolStore
import Testing

@Suite struct RetryConformance {
    @Test(arguments: StoreKind.allCases)
    func aSetUpFailureIsTriedThriceWithBackoff(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let worker = try await store.enrol()
            let id = try await store.add(.sample())[0]
            for (tryNumber, delay) in [(1, 1.0), (2, 2.0)] {
                let now = Timestamp.at(100 * Double(tryNumber))
                let lease = try await store.hold(id, by: worker, at: now)
                let answer = try await store.end(lease, .setupFailed, at: now)
                let notBefore = now.advanced(by: .seconds(delay))
                #expect(answer.change == JobChange(job: id, state: .queued, notBefore: notBefore))
                #expect(try await store.existing(id).cause == nil)

                #expect(try await store.claimable(limit: 9, after: nil).isEmpty)
                #expect(try await store.nextQueueDeadline() == notBefore)
                let early = notBefore.advanced(by: .milliseconds(-1))
                #expect(try await store.advanceQueue(now: early).released == 0)
                #expect(try await store.advanceQueue(now: notBefore).released == 1)
                #expect(try await store.claimable(limit: 9, after: nil).map(\.triedWorkers) == [[worker]])
                #expect(try await store.nextQueueDeadline() == nil)
            }
            let lease = try await store.hold(id, by: worker, at: .at(300))
            #expect(lease.epoch == 3)
            #expect(try await store.end(lease, .setupFailed).change == JobChange(job: id, state: .errored))
            let job = try await store.existing(id)
            #expect(job.cause == .setupFailed && job.fault == .infrastructure && job.returnCode == nil)
            #expect(job.message == "mount: no space" && job.attempts.count == 3 && job.startedAt == nil)
        }
    }

    /// A retry waits for seconds: one that would have to wait for hours was put off by a clock that ran ahead.
    @Test(arguments: StoreKind.allCases)
    func aClockThatIsSetBackDoesNotHoldARetryUp(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let worker = try await store.enrol()
            let id = try await store.add(.sample())[0]
            let lease = try await store.hold(id, by: worker, at: .at(7_200))
            #expect(try await store.end(lease, .setupFailed, at: .at(7_200)).change?.notBefore == .at(7_201))
            #expect(try await store.advanceQueue(now: .at(7_171)).released == 0)
            #expect(try await store.advanceQueue(now: .at(7_170.999)).released == 1)
            #expect(try await store.claimable(limit: 9, after: nil).map(\.id) == [id])
            #expect(try await store.nextQueueDeadline() == nil)
        }
    }

    @Test(arguments: StoreKind.allCases, [0, 1, 2])
    func aUsersFailureIsTriedAsOftenAsAsked(kind: StoreKind, retries: Int) async throws {
        try await kind.withStore { store in
            let worker = try await store.enrol()
            let id = try await store.add(.sample { $0.retries = retries })[0]
            for round in 0..<retries {
                let start = Double(100 * round)
                let lease = try await store.run(id, by: worker, at: .at(start + 1))
                #expect(try await store.end(lease, .failure, at: .at(start + 3)).change?.state == .queued)
                let waiting = try await store.existing(id)
                #expect(waiting.exitCode == nil && waiting.startedAt == nil && waiting.finishedAt == nil)
                _ = try await store.advanceQueue(now: .at(start + 99))
            }
            let lease = try await store.run(id, by: worker, at: .at(1_000))
            #expect(try await store.end(lease, .failure, at: .at(1_003)).change?.state == .failed)
            let job = try await store.existing(id)
            #expect(job.exitCode == 3 && job.returnCode == 3 && job.attempts.count == retries + 1)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aRunningJobThatMayNotBeRerunEndsWithItsWorker(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let worker = try await store.enrol()
            let id = try await store.add(.sample { $0.rerun = .never })[0]
            let lease = try await store.run(id, by: worker)
            let loss = LossReport(lease: lease, kind: .superseded, outcome: .lostRunning)
            let answer = try #require(try await store.recordLosses([loss], now: .at(9)).first)
            #expect(answer == EndAnswer(verdict: .recorded, change: JobChange(job: id, state: .errored)))
            let job = try await store.existing(id)
            #expect(job.cause == .workerLost && job.returnCode == nil && job.finishedAt == .at(9))
            #expect(job.message == nil, "one loss is no poison")
            #expect(job.attempts.map(\.state) == [.lost])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aJobThatLosesTwoWorkersIsPoison(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let worker = try await store.enrol()
            let id = try await store.add(.sample { $0.rerun = .safe })[0]
            var states: [JobState?] = []
            for round in 1...2 {
                let lease = try await store.run(id, by: worker, at: .at(Double(round * 100)))
                let outcome = Outcome(cause: .workerLost, message: "the host went down")
                let loss = LossReport(lease: lease, kind: .lost, outcome: outcome)
                let now = Timestamp.at(Double(round * 100 + 50))
                states.append(try await store.recordLosses([loss], now: now).first?.change?.state)
                _ = try await store.advanceQueue(now: .at(Double(round * 100 + 99)))
            }
            #expect(states == [.queued, .errored])
            let job = try await store.existing(id)
            let message = try #require(job.message)
            #expect(message.hasPrefix("lost 2 workers while running; stopped as poison; "))
            #expect(message.hasSuffix("; the last loss: the host went down"))
            #expect(job.cause == .workerLost && job.returnCode == nil)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func whatIsGivenBackUsesUpNoRetry(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let worker = try await store.enrol()
            let (first, second) = (NewJob.sample(), NewJob.sample())
            try await store.add(first, second)
            for round in 1...5 {
                let lease = try await store.hold(first.id, by: worker)
                let answers = try await store.returnLeases([lease], now: .at(2))
                let change = JobChange(job: first.id, state: .queued)
                #expect(answers == [EndAnswer(verdict: .recorded, change: change)])
                #expect(try await store.returnLeases([lease], now: .at(2)).map(\.verdict) == [.duplicate])
                let queue = try await store.claimable(limit: 9, after: nil)
                #expect(queue.map(\.id) == [first.id, second.id], "it keeps its place in round \(round)")
                #expect(queue.first?.triedWorkers == [])
            }
            let lease = try await store.run(first.id, by: worker)
            #expect(lease.epoch == 6)
            #expect(try await store.end(lease).change?.state == .succeeded)
        }
    }
}
