import SandpoolModel
import SandpoolStore
import Testing

@Suite struct FencingConformance {
    /// Every way in which a lease can be wrong.
    enum Forgery: CaseIterable {
        case olderEpoch, newerEpoch, anotherWorker, unknownAttempt

        func forge(_ lease: LeaseKey) -> LeaseKey {
            switch self {
            case .olderEpoch: LeaseKey(attempt: lease.attempt, epoch: lease.epoch - 1, worker: lease.worker)
            case .newerEpoch: LeaseKey(attempt: lease.attempt, epoch: lease.epoch + 1, worker: lease.worker)
            case .anotherWorker: LeaseKey(attempt: lease.attempt, epoch: lease.epoch, worker: .make(at: .origin))
            case .unknownAttempt: LeaseKey(attempt: .make(at: .origin), epoch: lease.epoch, worker: lease.worker)
            }
        }
    }

    @Test(arguments: StoreKind.allCases, Forgery.allCases)
    func aForgedLeaseChangesNothing(kind: StoreKind, forgery: Forgery) async throws {
        try await kind.withStore { store in
            let worker = try await store.enrol()
            let id = try await store.add(.sample())[0]
            let lease = try await store.hold(id, by: worker)
            let before = try await store.existing(id)
            let forged = forgery.forge(lease)
            let fenced = EndAnswer(verdict: .fenced, change: nil)
            for step in [ProgressReport.Step.preparing, .building, .started] {
                let report = ProgressReport(lease: forged, step: step, at: .at(2))
                #expect(try await store.recordProgress([report], now: .at(2)) == [.fenced])
            }
            #expect(try await store.recordResults([.sample(forged)], now: .at(3)) == [fenced])
            #expect(try await store.returnLeases([forged], now: .at(3)) == [fenced])
            let losses = [LossReport.Kind.lost, .superseded].map {
                LossReport(lease: forged, kind: $0, outcome: .lostRunning)
            }
            #expect(try await store.recordLosses(losses, now: .at(3)) == [fenced, fenced])
            #expect(try await store.existing(id) == before)
            #expect(try await store.output(of: lease.attempt) == AttemptOutput(isComplete: false, tails: []))
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aNewAttemptFencesTheOldOne(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let (old, new) = (try await store.enrol(), try await store.enrol())
            let id = try await store.add(.sample { $0.rerun = .safe })[0]
            let stale = try await store.run(id, by: old)
            let loss = LossReport(lease: stale, kind: .superseded, outcome: .lostRunning)
            #expect(try await store.recordLosses([loss], now: .at(120)).first?.change?.state == .queued)
            _ = try await store.advanceQueue(now: .at(200))
            #expect(try await store.claimable(limit: 1, after: nil).first?.triedWorkers == [old])
            let current = try await store.run(id, by: new, at: .at(201))
            #expect(current.epoch == stale.epoch + 1)

            #expect(try await store.end(stale, .failure, at: .at(202)) == EndAnswer(verdict: .fenced, change: nil))
            #expect(try await store.existing(id).state == .running)
            #expect(try await store.end(current, at: .at(203)).change == JobChange(job: id, state: .succeeded))
            let job = try await store.existing(id)
            #expect(job.attempts.map(\.state) == [.superseded, .finished])
            #expect(job.attempts.map(\.outcome?.exitCode) == [nil, 0] && job.exitCode == 0 && job.worker == new)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func repetitionIsADuplicate(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let worker = try await store.enrol()
            let id = try await store.add(.sample())[0]
            let lease = try await store.hold(id, by: worker)
            let steps: [ProgressReport.Step] = [.preparing, .building, .started]
            let reports = steps.map { ProgressReport(lease: lease, step: $0, at: .at(2)) }
            #expect(try await store.recordProgress(reports, now: .at(2)) == [.recorded, .recorded, .recorded])
            #expect(try await store.recordProgress(reports, now: .at(9)) == [.duplicate, .duplicate, .duplicate])
            let once = try await store.recordResults([.sample(lease), .sample(lease)], now: .at(4))
            #expect(once.map(\.verdict) == [.recorded, .duplicate])
            let finished = try await store.existing(id)
            #expect(try await store.end(lease, .failure, at: .at(60)) == EndAnswer(verdict: .duplicate, change: nil))
            #expect(try await store.recordProgress(reports, now: .at(61)) == [.duplicate, .duplicate, .duplicate])
            #expect(try await store.existing(id) == finished)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aTerminalAttemptIsNeverTakenBack(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let worker = try await store.enrol()
            let id = try await store.add(.sample())[0]
            let lease = try await store.run(id, by: worker)
            #expect(try await store.returnLeases([lease], now: .at(2)).map(\.verdict) == [.fenced])
            _ = try await store.end(lease)
            let losses = [LossReport(lease: lease, kind: .lost, outcome: .lostRunning)]
            #expect(try await store.recordLosses(losses, now: .at(4)).map(\.verdict) == [.fenced])
            #expect(try await store.returnLeases([lease], now: .at(4)).map(\.verdict) == [.fenced])
            #expect(try await store.existing(id).state == .succeeded)
            #expect(try await store.liveAttempts(worker: nil).isEmpty)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aWorkersClockStaysBetweenLeaseAndNow(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let worker = try await store.enrol()
            let ids = try await store.add(.sample(), .sample())
            let early = try await store.hold(ids[0], by: worker, at: .at(10))
            let late = try await store.hold(ids[1], by: worker, at: .at(10))
            let reports = [
                ProgressReport(lease: early, step: .started, at: .at(-500)),
                ProgressReport(lease: late, step: .started, at: .at(9_000)),
            ]
            #expect(try await store.recordProgress(reports, now: .at(12)) == [.recorded, .recorded])
            #expect(try await store.existing(ids[0]).startedAt == .at(10))
            #expect(try await store.existing(ids[1]).startedAt == .at(12))
            #expect(try await store.end(late, at: .at(13)).verdict == .recorded)
            #expect(try await store.existing(ids[1]).finishedAt == .at(10))
        }
    }
}
