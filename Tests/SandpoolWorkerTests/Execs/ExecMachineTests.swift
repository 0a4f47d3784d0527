import SandpoolModel
import Testing

@testable import SandpoolWorker

@Suite struct ExecMachineTests {
    private static let outcome = Outcome(cause: .exited, exitCode: 0)

    @Test func aPlainLife() {
        var machine = ExecMachine()
        #expect(machine.handle(.started) == [.tellStart])
        #expect(machine.isActive && machine.end == nil)
        #expect(machine.handle(.ended(Self.outcome, isKept: true)) == [.offer])
        #expect(!machine.isActive && machine.end == Self.outcome)
        #expect(machine.handle(.told) == [.release, .forget])
        #expect(machine.phase == .gone)
    }

    @Test func whatTheLauncherDoesNotKeepIsNotReleased() {
        var machine = ExecMachine()
        #expect(machine.handle(.ended(Self.outcome, isKept: false)) == [.offer])
        #expect(machine.handle(.told) == [.forget])
    }

    @Test func aCancelIsPassedOnOnce() {
        for isStarted in [false, true] {
            var machine = ExecMachine()
            if isStarted { _ = machine.handle(.started) }
            #expect(machine.handle(.cancel) == [.end])
            #expect(machine.handle(.cancel) == [])
            #expect(machine.handle(.leave) == [] && machine.isLeft)
            #expect(machine.handle(.ended(Self.outcome, isKept: true)) == [.offer], "the coordinator waits for it")
        }
    }

    @Test func oneThatIsLeftIsEndedAndItsStartIsNoNews() {
        var machine = ExecMachine()
        #expect(machine.handle(.leave) == [.end])
        #expect(machine.handle(.started) == [])
        var late = ExecMachine()
        _ = late.handle(.ended(Self.outcome, isKept: true))
        #expect(late.handle(.leave) == [.offer] && late.isLeft, "what is left of its output is not waited for")
    }

    @Test func withoutItsSessionNobodyIsTold() {
        var machine = ExecMachine()
        _ = machine.handle(.started)
        #expect(machine.handle(.sessionLost) == [.end])
        #expect(machine.handle(.sessionLost) == [])
        #expect(machine.handle(.ended(Self.outcome, isKept: true)) == [.release, .forget])
        var ended = ExecMachine()
        _ = ended.handle(.ended(Self.outcome, isKept: true))
        #expect(ended.handle(.sessionLost) == [.release, .forget])
    }

    /// Whatever comes when nothing is left to do changes nothing.
    @Test(arguments: [
        .started, .ended(outcome, isKept: true), .cancel, .leave, .sessionLost, .told,
    ] as [ExecMachine.Event])
    func goneIsGone(event: ExecMachine.Event) {
        var machine = ExecMachine()
        _ = machine.handle(.ended(Self.outcome, isKept: true))
        _ = machine.handle(.told)
        let before = machine
        #expect(machine.handle(event) == [] && machine == before)
    }
}
