import SandpoolAPI
import SandpoolModel
import SandpoolSandbox
import Testing

@testable import SandpoolWorker

/// A lease lets a worker start what it was given, and nothing else depends on it.
@Suite struct LeaseStepTests {
    /// The first lease counts from when `hello` was made, a renewal from when it was sent: the coordinator may have
    /// counted from then, however late its answer comes.
    @Test(arguments: [
        (welcomeAfter: 0, renewal: nil, askedAt: 29_999, isTaken: true),
        (welcomeAfter: 0, renewal: nil, askedAt: 30_000, isTaken: false),
        (welcomeAfter: 20_000, renewal: nil, askedAt: 29_999, isTaken: true),
        (welcomeAfter: 20_000, renewal: nil, askedAt: 30_000, isTaken: false),
        (welcomeAfter: 0, renewal: (sent: 10_000, heard: 10_001), askedAt: 39_999, isTaken: true),
        (welcomeAfter: 0, renewal: (sent: 10_000, heard: 39_000), askedAt: 39_999, isTaken: true),
        (welcomeAfter: 0, renewal: (sent: 10_000, heard: 39_000), askedAt: 40_000, isTaken: false),
        // What it cannot have sent yet renews nothing, and an older renewal takes nothing away.
        (welcomeAfter: 0, renewal: (sent: 20_000, heard: 10_000), askedAt: 30_000, isTaken: false),
        (welcomeAfter: 0, renewal: (sent: -5_000, heard: 10_000), askedAt: 29_999, isTaken: true),
    ] as [(Int64, (sent: Int64, heard: Int64)?, Int64, Bool)])
    func aLeaseCountsFromWhenItsRenewalWasSent(
        welcomeAfter: Int64, renewal: (sent: Int64, heard: Int64)?, askedAt: Int64, isTaken: Bool
    ) {
        var worker = SteppedWorker()
        worker.connectLauncher()
        let begin = worker.uptimeMs
        worker.join(afterMs: welcomeAfter)
        if let renewal {
            worker.hear(.heartbeat(sentMs: begin + renewal.sent), afterMs: renewal.heard - welcomeAfter)
        }
        let effects = worker.hear(.assign([Samples.assignment(1)]), afterMs: begin + askedAt - worker.uptimeMs)
        #expect(effects.contains(.prepare(Samples.assignment(1))) == isTaken)
        #expect(worker.returned() == (isTaken ? [] : [Samples.lease(1)]))
        #expect(worker.state.inventory.isEmpty != isTaken)
    }

    @Test func anExpiredLeaseLetsWhatRunsGoOn() {
        var worker = SteppedWorker.ready()
        worker.run(1) { $0.rerun = .never }
        worker.loseSession()
        let effects = worker.step(.fired(.silence), afterMs: 3_600_000)
        #expect(effects.isEmpty)
        #expect(worker.state.inventory.map(\.state) == [.running])
    }

    /// A fetch may take longer than the lease does.
    @Test func whatIsPreparedTooLateIsStartedWithTheNextLease() {
        var worker = SteppedWorker.ready()
        worker.hear(.assign([Samples.assignment(1)]))
        worker.loseSession()
        let root = PreparedRoot(root: .scratch, layers: [])
        #expect(worker.step(.prepared(Samples.lease(1), root), afterMs: 40_000).started == [])
        #expect(worker.step(.prepared(Samples.lease(1), root)).started == [])
        #expect(worker.join(keep: worker.state.inventory).started == [Samples.attempt(1)])
        #expect(worker.hear(.heartbeat(sentMs: worker.uptimeMs)).started == [])
    }

    @Test func whatWaitsForALeaseAndIsNotWantedIsNeverStarted() {
        for (message, isReported) in [
            (CoordinatorMessage.cancel(Samples.lease(1)), true), (.kill(Samples.lease(1)), false),
        ] {
            var worker = SteppedWorker.ready()
            worker.hear(.assign([Samples.assignment(1)]))
            worker.step(.prepared(Samples.lease(1), PreparedRoot(root: .scratch, layers: ["a"])), afterMs: 40_000)
            let effects = worker.hear(message)
            #expect(effects.asked == [])
            #expect(effects.journaled.map(\.result.outcome) == (isReported ? [.cancelledBeforeStart] : []))
            #expect(
                effects.contains(.forget(Samples.lease(1), layers: ["a"], hasDownloads: false)) == !isReported)
            #expect(worker.hear(.heartbeat(sentMs: worker.uptimeMs)).started == [])
        }
    }

    @Test(arguments: ["draining", "untrusted", "full", "other epoch"])
    func whatHasNoPlaceIsGivenBack(reason: String) {
        var worker = SteppedWorker.ready()
        var lease = Samples.lease(20_000)
        switch reason {
        case "draining": worker.hear(.drain)
        case "untrusted":
            let at = Timestamp(milliseconds: 1)
            worker.step(
                .verified(VerificationSummary(at: at, kernel: "k", held: 1, notRun: 0, through: ["probe"])))
        case "full":
            worker.hear(.assign((0..<WorkerState.Limits.attempts).map { Samples.assignment($0) }))
        default:
            worker.run(20_000)
            lease.epoch += 1
        }
        _ = worker.sent()
        var assignment = Samples.assignment(20_000)
        assignment.lease = lease
        #expect(!worker.hear(.assign([assignment])).contains(.prepare(assignment)))
        #expect(worker.returned() == [lease])
    }

    /// Nothing answers what is given back, so the next hello repeats it until one was taken.
    @Test func whatWasGivenBackIsRepeatedByTheHelloUntilOneIsWelcome() {
        var worker = SteppedWorker.ready()
        worker.hear(.assign([Samples.assignment(1)]))
        worker.step(.preparing(Samples.lease(1)))
        worker.hear(.drain)
        #expect(worker.returned() == [Samples.lease(1)])
        worker.loseSession()
        worker.step(.sessionOpens)
        #expect(worker.state.hello(images: []).returned == [Samples.lease(1)])
        worker.loseSession()
        worker.join()
        worker.loseSession()
        worker.step(.sessionOpens)
        #expect(worker.state.hello(images: []).returned == nil)
    }

    @Test func theNewestOfManyThatWereGivenBackAreRepeated() {
        var worker = SteppedWorker.ready()
        worker.hear(.drain)
        let count = WorkerState.Limits.returns + 1
        worker.hear(.assign((0..<count).map { Samples.assignment($0) }))
        worker.step(.sessionOpens)
        #expect(worker.state.hello(images: []).returned == (1..<count).map { Samples.lease($0) })
    }

    @Test func anAssignmentThatComesTwiceIsTakenOnce() {
        var worker = SteppedWorker.ready()
        worker.run(1)
        #expect(worker.hear(.assign([Samples.assignment(1)])) == [])
        #expect(worker.returned() == [])
        #expect(worker.state.inventory.map(\.state) == [.running])
    }

    /// One that is fired twice must not go on as two.
    @Test func aHeartbeatIsSentOnceAPeriod() {
        var worker = SteppedWorker.ready()
        let timer = WorkerState.Timer.heartbeat(session: worker.state.sessionNumber)
        _ = worker.sent()
        #expect(worker.step(.fired(timer), afterMs: 10_000).timers == [timer])
        #expect(worker.step(.fired(timer)) == [])
        #expect(worker.sent() == [.heartbeat(sentMs: worker.uptimeMs)])
        worker.loseSession()
        #expect(worker.step(.fired(timer), afterMs: 10_000) == [])
    }

    @Test func aCoordinatorThatSaysNothingForALeaseIsSilent() {
        var worker = SteppedWorker.ready()
        let session = worker.state.sessionNumber
        func isSilent(afterMs delay: Int64) -> Bool {
            let uptimeMs = worker.uptimeMs + delay
            return worker.state.isSilent(
                session: session, at: Moment(wall: Timestamp(milliseconds: 0), uptimeMs: uptimeMs))
        }
        #expect(!isSilent(afterMs: 30_000))
        #expect(isSilent(afterMs: 30_001))
        worker.step(.heard(session: session), afterMs: 20_000)
        #expect(!isSilent(afterMs: 30_000))
        worker.hear(.drain, afterMs: 20_000)
        #expect(!isSilent(afterMs: 30_000))
        worker.loseSession()
        #expect(!isSilent(afterMs: 30_001))
    }
}
