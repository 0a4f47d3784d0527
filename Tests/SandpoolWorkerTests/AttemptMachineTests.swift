import SandpoolModel
import Testing

@testable import SandpoolWorker

@Suite struct AttemptMachineTests {
    typealias Machine = AttemptMachine

    /// Every kind of event, with values that can be told apart.
    static let events: [Machine.Event] = [
        .prepared, .building, .preparationFailed(end("prepare")), .started, .launchFailed(end("launch")),
        .exited(end("exit"), hasDownloads: false), .exited(end("exit"), hasDownloads: true), .collected, .journaled,
        .journalFailed, .launcherLost(end("lost")), .found(graceMs: 9), .cancel(end("cancel"), graceMs: 7), .kill,
        .abandon(end("abandon")), .drain, .settled,
    ]

    static func end(_ message: String) -> AttemptEnd {
        var end = Samples.end
        end.outcome.message = message
        return end
    }

    /// Every machine that any sequence of events leads to.
    static let reachable: [Machine] = {
        var seen: Set<Machine> = []
        var frontier: [Machine] = [
            Machine(), .adopted(), .adopted(isStarted: false), .journaled(hasSandbox: true),
            .journaled(hasSandbox: false),
        ]
        while let machine = frontier.popLast() {
            guard seen.insert(machine).inserted else { continue }
            for event in events {
                var next = machine
                _ = next.handle(event)
                frontier.append(next)
            }
        }
        return Array(seen)
    }()

    @Test func theWholeWay() {
        var machine = Machine()
        #expect(machine.handle(.building) == [.progress(.building)])
        #expect(machine.handle(.prepared) == [.launch])
        #expect(machine.handle(.started) == [.progress(.running)])
        #expect(machine.handle(.exited(Samples.end, hasDownloads: true)) == [.collect])
        #expect(machine.handle(.collected) == [.journal(Samples.end)])
        #expect(machine.handle(.journaled) == [.report])
        #expect(machine.handle(.settled) == [.settleJournal, .forget, .release])
        #expect(machine.phase == .gone)
    }

    /// The result is on disk before anybody hears of it, and before the sandbox may go.
    @Test func nothingIsReportedOrReleasedBeforeItIsInTheJournal() {
        for machine in Self.reachable {
            for event in Self.events {
                var next = machine
                let actions = next.handle(event)
                if actions.contains(.report) { #expect(event == .journaled) }
                if actions.contains(.release) {
                    let isUnwanted = event == .kill || machine.phase == .killing
                    #expect(machine.phase == .reporting || isUnwanted, "\(machine) \(event)")
                }
                // Nor does it leave the journal, or this worker, before it was answered.
                if actions.contains(.settleJournal) || isJournaled(machine) && actions.contains(.forget) {
                    #expect(event == .settled && machine.phase == .reporting)
                }
            }
        }
    }

    private func isJournaled(_ machine: Machine) -> Bool {
        switch machine.phase {
        case .journaling, .reporting: true
        default: false
        }
    }

    /// What exists in the launcher is let go exactly once on the way to `gone`.
    @Test func everySandboxIsReleasedOnceAndOnlyThen() {
        for machine in Self.reachable where machine.phase != .gone {
            for event in Self.events {
                var next = machine
                let actions = next.handle(event)
                guard next.phase == .gone else {
                    #expect(!actions.contains(.release) && !actions.contains(.forget))
                    continue
                }
                let isGoneByItself: Bool =
                    switch event {
                    case .launchFailed, .launcherLost: true
                    default: false
                    }
                #expect(actions.contains(.release) == (machine.hasSandbox && !isGoneByItself), "\(machine) \(event)")
                let end: [Machine.Action] = actions.contains(.release) ? [.forget, .release] : [.forget]
                #expect(actions.suffix(end.count) == end[...], "the record goes before what it stands for")
            }
        }
    }

    @Test func whatIsGoneStaysGone() {
        for machine in Self.reachable where machine.phase == .gone {
            for event in Self.events {
                var next = machine
                #expect(next.handle(event).isEmpty)
                #expect(next == machine)
            }
        }
    }

    /// Events come at least once: the second time asks for nothing that would run twice.
    @Test func repeatedEventsDoNothingTwice() {
        for machine in Self.reachable {
            for event in Self.events {
                var next = machine
                _ = next.handle(event)
                let again = next
                let actions = next.handle(event)
                switch event {
                // A second cancel may shorten the grace, the journal may fail again, and building may be said twice.
                case .cancel, .journalFailed, .building: continue
                default:
                    #expect(!actions.contains(.launch) && !actions.contains(.giveBack), "\(again) \(event)")
                }
            }
        }
    }

    @Test func onlyWhatNeverReachedTheLauncherIsGivenBack() {
        for machine in Self.reachable {
            var next = machine
            let actions = next.handle(.drain)
            #expect(actions == (machine.phase == .preparing ? [.giveBack, .forget] : []))
        }
    }

    @Test func whatIsKilledIsNotReported() {
        for machine in Self.reachable where !isJournaled(machine) {
            var next = machine
            _ = next.handle(.kill)
            #expect(next.phase == .gone || next.phase == .killing)
            for event in Self.events {
                var later = next
                let actions = later.handle(event)
                #expect(!actions.contains(.report))
                #expect(!actions.contains { if case .journal = $0 { true } else { false } })
            }
        }
    }

    @Test func cancelBeforeTheLaunchEndsAtOnceAndAfterItAsksTheLauncher() {
        var machine = Machine()
        #expect(machine.handle(.cancel(Self.end("cancel"), graceMs: 3)) == [.journal(Self.end("cancel"))])
        machine = Machine()
        _ = machine.handle(.prepared)
        #expect(machine.handle(.cancel(Self.end("cancel"), graceMs: 3)) == [.cancelSandbox(graceMs: 3)])
        #expect(machine.isCancelled)
        #expect(machine.handle(.launchFailed(Self.end("failed"))) == [.journal(Self.end("failed"))])
        #expect(!machine.hasSandbox)
    }

    /// It has ended, so there is a result, which the coordinator keeps aside.
    @Test func aKillLeavesAResultThatIsInTheJournalAlone() {
        for machine in Self.reachable where isJournaled(machine) {
            var next = machine
            #expect(next.handle(.kill).isEmpty)
            #expect(next == machine)
        }
    }

    @Test func whatIsAbandonedEndsAtOnceAndIsReported() {
        var machine = Machine()
        #expect(machine.handle(.abandon(Self.end("abandon"))) == [.journal(Self.end("abandon"))])
        for phase in [Machine.adopted(), .adopted(isStarted: false)] {
            machine = phase
            #expect(machine.handle(.abandon(Self.end("abandon"))) == [.cancelSandbox(graceMs: 0)])
            #expect(machine.isAbandoned)
            #expect(machine.handle(.exited(Self.end("exit"), hasDownloads: false)) == [.journal(Self.end("exit"))])
        }
    }

    /// A connection that broke may have taken the wish along.
    @Test func aLauncherThatIsBackIsAskedAgainForWhatWasToEnd() {
        for machine in Self.reachable {
            var next = machine
            let actions = next.handle(.found(graceMs: 9))
            #expect(next == machine)
            switch machine.phase {
            case .launching, .running:
                let wish: [Machine.Action] = machine.isCancelled ? [.cancelSandbox(graceMs: 9)] : []
                #expect(actions == (machine.isAbandoned ? [.cancelSandbox(graceMs: 0)] : wish))
            case .killing: #expect(actions == [.cancelSandbox(graceMs: 0)])
            default: #expect(actions.isEmpty)
            }
        }
    }

    @Test func theLaunchersEndEndsWhatRanAndLeavesResultsAlone() {
        for machine in Self.reachable {
            var next = machine
            let actions = next.handle(.launcherLost(Self.end("lost")))
            switch machine.phase {
            case .launching, .running: #expect(actions == [.journal(Self.end("lost"))])
            case .killing: #expect(actions == [.forget])
            default: #expect(actions.isEmpty)
            }
            #expect(!next.hasSandbox || machine.phase == .preparing)
        }
    }

    @Test func aRefusedJournalIsTriedAgain() {
        var machine = Machine()
        _ = machine.handle(.preparationFailed(Samples.end))
        #expect(machine.handle(.journalFailed) == [.retryJournal(Samples.end)])
        #expect(machine.handle(.journaled) == [.report])
    }
}
