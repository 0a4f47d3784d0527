import LinuxSystem
import SandpoolAPI
import SandpoolModel

/// The session's beginning and end, and what comes in between.
extension WorkerCore {
    /// Begins a session.
    ///
    /// - Returns: its number, and the inventory to open it with.
    func beginSession() -> (number: Int, hello: WorkerHello) {
        endSession(state.sessionNumber)
        step(.sessionOpens)
        return (state.sessionNumber, state.hello(images: preparer?.readyImages ?? []))
    }

    /// Ends a session if it is still the current one. Sandboxes go on; execs end with the session that asked for them.
    func endSession(_ number: Int) {
        guard number == state.sessionNumber else { return }
        for id in execs.keys { apply(.sessionLost, to: id) }
        step(.sessionEnded(number))
        writer.end()
    }

    func welcome(_ welcome: WorkerWelcome, session number: Int) {
        guard number == state.sessionNumber else { return }
        execOutbox = ExecOutbox()
        step(.welcome(welcome, session: number))
    }

    /// Applies a message.
    ///
    /// - Parameter message: checked.
    /// - Throws: `WorkerError`, which ends the session, when more comes back than the coordinator takes.
    func handle(_ message: CoordinatorMessage, session number: Int) throws {
        guard number == state.sessionNumber else { return }
        step(.message(message, session: number))
        switch message {
        case .exec(let assignment): accept(assignment)
        case .execSignal(let id, let signal):
            guard execs[id]?.machine.isActive == true else { return }
            launcher?.send(.signal(id: id.text, signal: UInt8(clamping: signal)))
        case .execCancel(let id): apply(.cancel, to: id)
        case .execLeave(let id): apply(.leave, to: id)
        case .execOutputTaken(let id, let stdout, let stderr): noteTaken(id, stdout: stdout, stderr: stderr)
        default: break
        }
        let answers = state.waitingAnswers + execOutbox.refusedCount
        guard answers <= WorkerState.Limits.attempts else {
            throw WorkerError("the coordinator asks and does not read: \(answers) answers wait")
        }
    }

    /// Whether the coordinator has fallen silent.
    func isSilent(session number: Int) -> Bool { state.isSilent(session: number, at: SystemClock.moment()) }

    /// The coordinator's host answered that nobody listens there.
    func noteDown(session number: Int) { step(.coordinatorIsDown(session: number)) }
}
