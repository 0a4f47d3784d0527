import SandpoolModel
import SandpoolStore
import Testing

@Suite struct WorkerConformance {
    @Test(arguments: StoreKind.allCases)
    func aWorkerReadsAsItEnrolled(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let worker = WorkerRegistration.sample(name: "b")
            let enrolment = try await store.upsertWorker(worker, token: nil, now: .at(1))
            let record = WorkerRecord(registration: worker, drain: nil, enrolledAt: .at(1), lastSeenAt: .at(1))
            #expect(enrolment == record)
            #expect(try await store.worker(worker.id) == record)
            _ = try await store.enrol(.sample(name: "a"))
            #expect(try await store.workers().map(\.registration.name) == ["a", "b"])
            #expect(try await store.worker(.make(at: .origin)) == nil)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aWorkersWordReplacesItsLastAndADrainStays(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let id = try await store.enrol()
            let drain = Drain(reason: "kernel upgrade", deadline: .at(600))
            #expect(try await store.setDrain(drain, worker: id))
            var again = WorkerRegistration.sample(id: id, name: "renamed", bootID: "boot-2")
            again.images = []
            let enrolment = try await store.upsertWorker(again, token: nil, now: .at(5))
            #expect(
                enrolment
                    == WorkerRecord(registration: again, drain: drain, enrolledAt: .origin, lastSeenAt: .at(5)))
            #expect(try await store.setDrain(nil, worker: id))
            #expect(try await store.worker(id)?.drain == nil)
            #expect(try await store.setDrain(drain, worker: .make(at: .origin)) == false)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aQuarantineStaysUntilItIsTakenBackOrAnOperatorResumes(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let id = try await store.enrol()
            let quarantine = Quarantine(reason: "cgroup: refused", until: .at(60), backoffMs: 30_000, process: "p")
            let drain = Drain(reason: "kernel upgrade", deadline: nil)
            #expect(try await store.setQuarantine(quarantine, worker: id))
            let again = try await store.upsertWorker(.sample(id: id), token: nil, now: .at(5))
            #expect(again.quarantine == quarantine)
            #expect(try await store.setDrain(drain, worker: id))
            #expect(try await store.workers().map(\.quarantine) == [quarantine])
            #expect(try await store.setDrain(nil, worker: id))
            #expect(try await store.worker(id)?.quarantine == nil)
            #expect(try await store.setQuarantine(quarantine, worker: id))
            #expect(try await store.setQuarantine(nil, worker: id))
            #expect(try await store.worker(id)?.quarantine == nil)
            #expect(try await store.setQuarantine(quarantine, worker: .make(at: .origin)) == false)
            _ = try await store.setQuarantine(quarantine, worker: id)
            _ = try await store.forgetWorker(id, now: .at(6))
            #expect(try await store.upsertWorker(.sample(id: id), token: nil, now: .at(7)).quarantine == nil)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aForgottenWorkerStartsOver(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let id = try await store.enrol()
            _ = try await store.setDrain(Drain(reason: "gone", deadline: nil), worker: id)
            let lease = LeaseKey(attempt: .make(at: .origin), epoch: 1, worker: id)
            #expect(try await store.forgetWorker(id, now: .at(1)))
            #expect(try await store.forgetWorker(id, now: .at(2)) == false)
            #expect(try await store.workers().isEmpty)
            #expect(try await store.worker(id) == nil)
            #expect(try await store.setDrain(nil, worker: lease.worker) == false)
            let enrolment = try await store.upsertWorker(.sample(id: id), token: nil, now: .at(9))
            #expect(enrolment.drain == nil && enrolment.enrolledAt == .at(9))
        }
    }

    @Test(arguments: StoreKind.allCases)
    func theFirstTokenBindsAWorkerUntilItIsForgotten(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let (first, other) = (TokenID.make(at: .origin), TokenID.make(at: .origin))
            let worker = WorkerRegistration.sample()
            _ = try await store.upsertWorker(worker, token: nil, now: .at(1))
            _ = try await store.upsertWorker(worker, token: first, now: .at(2))
            _ = try await store.upsertWorker(worker, token: nil, now: .at(3))
            let stolen = WorkerRegistration.sample(id: worker.id, name: "stolen", bootID: "boot-2")
            await #expect(throws: StoreError.foreignWorker(worker.id)) {
                try await store.upsertWorker(stolen, token: other, now: .at(4))
            }
            #expect(try await store.worker(worker.id)?.registration == worker, "nothing was changed")
            #expect(try await store.worker(worker.id)?.lastSeenAt == .at(3))
            _ = try await store.upsertWorker(worker, token: first, now: .at(5))
            #expect(try await store.forgetWorker(worker.id, now: .at(6)))
            #expect(try await store.upsertWorker(stolen, token: other, now: .at(7)).enrolledAt == .at(7))
            await #expect(throws: StoreError.foreignWorker(worker.id)) {
                try await store.upsertWorker(worker, token: first, now: .at(8))
            }
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aTokenMadeForAWorkerTakesTheFirstOnesPlaceWhenItIsUsed(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let worker = WorkerRegistration.sample()
            let other = WorkerRegistration.sample(name: "two")
            let old = TokenRecord.sample(role: .worker)
            let new = TokenRecord.sample(role: .worker, worker: worker.id)
            for token in [old, new] { try await store.insertToken(token) }
            _ = try await store.upsertWorker(worker, token: old.id, now: .at(1))
            let lease = try await store.run(try await store.add(.sample())[0], by: worker.id)
            _ = try await store.upsertWorker(worker, token: old.id, now: .at(2))
            await #expect(throws: StoreError.foreignWorker(other.id), "it is nobody else's") {
                try await store.upsertWorker(other, token: new.id, now: .at(3))
            }
            let enrolment = try await store.upsertWorker(worker, token: new.id, now: .at(4))
            #expect(enrolment.enrolledAt == .at(1))
            await #expect(throws: StoreError.foreignWorker(worker.id)) {
                try await store.upsertWorker(worker, token: old.id, now: .at(5))
            }
            _ = try await store.upsertWorker(worker, token: new.id, now: .at(6))
            #expect(try await store.end(lease).verdict == .recorded, "what it held it holds")
            #expect(try await store.tokens().contains(new))
        }
    }

    @Test(arguments: StoreKind.allCases)
    func lastSeenNeverGoesBack(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let id = try await store.enrol()
            try await store.recordSeen([id, .make(at: .origin)], now: .at(10))
            try await store.recordSeen([id], now: .at(5))
            #expect(try await store.worker(id)?.lastSeenAt == .at(10))
        }
    }

    @Test(arguments: StoreKind.allCases)
    func unreachableIsAFlagOnLiveAttempts(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let (silent, other) = (try await store.enrol(), try await store.enrol())
            let ids = try await store.add(.sample(), .sample(), .sample())
            let live = try await store.run(ids[0], by: silent)
            _ = try await store.run(ids[1], by: other)
            _ = try await store.end(try await store.run(ids[2], by: silent))
            try await store.setUnreachable(worker: silent, since: .at(35))
            let flags = try await store.liveAttempts(worker: nil).reduce(into: [:]) {
                $0[$1.lease.worker] = $1.unreachableSince
            }
            #expect(flags == [silent: .at(35)])
            #expect(try await store.existing(ids[0]).state == .running)
            try await store.setUnreachable(worker: silent, since: nil)
            #expect(try await store.liveAttempts(worker: silent).map(\.unreachableSince) == [nil])
            try await store.setUnreachable(worker: silent, since: .at(40))
            #expect(try await store.end(live).verdict == .recorded)
        }
    }
}
