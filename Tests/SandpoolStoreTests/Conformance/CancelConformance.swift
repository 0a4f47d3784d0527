import SandpoolModel
import SandpoolStore
import Testing

@Suite struct CancelConformance {
    @Test(arguments: StoreKind.allCases)
    func aQueuedJobIsCancelledAtOnce(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let id = try await store.add(.sample { $0.queueTimeoutSeconds = 10 })[0]
            #expect(try await store.cancel(id, now: .at(1)) == .cancelled)
            #expect(try await store.cancel(id, now: .at(2)) == .finished(.cancelled))
            let job = try await store.existing(id)
            #expect(job.state == .cancelled && job.cause == .cancelled && job.finishedAt == .at(1))
            #expect(try await store.claimable(limit: 1, after: nil).isEmpty)
            #expect(try await store.advanceQueue(now: .at(99)).expired == [])
            #expect(try await store.nextQueueDeadline() == nil)
            #expect(try await store.cancel(.make(at: .origin), now: .at(1)) == .notFound)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aDelayedRetryIsCancelledAtOnce(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let worker = try await store.enrol()
            let id = try await store.add(.sample())[0]
            _ = try await store.end(try await store.hold(id, by: worker), .setupFailed)
            #expect(try await store.cancel(id, now: .at(5)) == .cancelled)
            #expect(try await store.advanceQueue(now: .at(99)) == QueueAdvance(expired: [], released: 0))
        }
    }

    /// How an attempt can end after its job's cancel was requested, and what that makes of the job.
    static let endings: [(Outcome, JobState, Cause)] = [
        (Outcome(cause: .cancelled), .cancelled, .cancelled),
        (.success, .succeeded, .exited),
        (.failure, .failed, .exited),
        (.setupFailed, .cancelled, .cancelled),
    ]

    @Test(arguments: StoreKind.allCases, endings)
    func aRunningJobIsFlaggedAndNeverRetried(kind: StoreKind, ending: (Outcome, JobState, Cause)) async throws {
        try await kind.withStore { store in
            let worker = try await store.enrol()
            let id = try await store.add(
                .sample {
                    $0.retries = 3
                    $0.rerun = .safe
                })[0]
            let lease = try await store.hold(id, by: worker)
            #expect(try await store.cancel(id, now: .at(2)) == .requested(lease))
            #expect(try await store.cancel(id, now: .at(3)) == .requested(lease))
            #expect(try await store.liveAttempts(worker: worker).map(\.cancelRequested) == [true])
            #expect(try await store.existing(id).state == .starting)
            let answer = try await store.end(lease, ending.0)
            #expect(answer.change == JobChange(job: id, state: ending.1))
            #expect(try await store.existing(id).cause == ending.2)
        }
    }

    /// A worker cancels when it is told to. Where no user asked for that, the coordinator did.
    @Test(arguments: StoreKind.allCases, [(true, true), (true, false), (false, false)])
    func whatNoUserCancelledWasPreempted(kind: StoreKind, has: (started: Bool, safe: Bool)) async throws {
        try await kind.withStore { store in
            let worker = try await store.enrol()
            let id = try await store.add(.sample { $0.rerun = has.safe ? .safe : .never })[0]
            let lease = try await has.started ? store.run(id, by: worker) : store.hold(id, by: worker)
            let answer = try await store.end(lease, Outcome(cause: .cancelled, commandStarted: has.started))
            let job = try await store.existing(id)
            #expect(job.attempts.first?.outcome?.cause == .preempted)
            // What never ran is tried again in any case; what ran only where that is safe.
            let isRetried = !has.started || has.safe
            #expect(answer.change?.state == (isRetried ? .queued : .errored))
            #expect(job.cause == (isRetried ? nil : .preempted))
        }
    }

    @Test(arguments: StoreKind.allCases, [LossReport.Kind.lost, .superseded])
    func aLostJobThatNobodyWantsIsCancelled(kind: StoreKind, loss: LossReport.Kind) async throws {
        try await kind.withStore { store in
            let worker = try await store.enrol()
            let id = try await store.add(.sample { $0.rerun = .safe })[0]
            let lease = try await store.run(id, by: worker)
            _ = try await store.cancel(id, now: .at(2))
            let report = LossReport(lease: lease, kind: loss, outcome: .lostRunning)
            #expect(try await store.recordLosses([report], now: .at(9)).first?.change?.state == .cancelled)
            #expect(try await store.existing(id).attempts.map(\.state) == [.lost])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aCancelledJobThatIsGivenBackEnds(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let worker = try await store.enrol()
            let id = try await store.add(.sample())[0]
            let lease = try await store.hold(id, by: worker)
            _ = try await store.cancel(id, now: .at(2))
            let answer = try #require(try await store.returnLeases([lease], now: .at(3)).first)
            #expect(answer.change == JobChange(job: id, state: .cancelled))
        }
    }

    /// Either the lease came first and the cancel names it, or the cancel did and there is no lease.
    @Test(arguments: StoreKind.allCases)
    func cancelAndLeaseDoNotBothWin(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let worker = try await store.enrol()
            for _ in 0..<50 {
                let id = try await store.add(.sample())[0]
                let request = LeaseRequest(job: id, attempt: .make(at: .origin), worker: worker)
                async let leasing = store.lease([request], now: .at(1))
                async let cancelling = store.cancel(id, now: .at(1))
                let (answers, cancel) = (try await leasing, try await cancelling)
                let lease = LeaseKey(attempt: request.attempt, epoch: 1, worker: worker)
                switch try #require(answers.first) {
                case .leased: #expect(cancel == .requested(lease))
                default: #expect(cancel == .cancelled)
                }
            }
        }
    }
}
