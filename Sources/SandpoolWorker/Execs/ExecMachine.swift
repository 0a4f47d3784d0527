import SandpoolModel

/// The life of one exec on this worker: a value that takes events and returns what has to be done.
///
/// ```
/// asked ──► running ──► ended ──► gone
///   └─────────────────────▲         (not started, launcher lost)
/// ```
///
/// One that nobody wants (`leave`, `sessionLost`) is ended, and its output is not sent any more.
struct ExecMachine: Hashable, Sendable {
    enum Phase: Hashable, Sendable {
        /// The launcher was asked; it answers `started` or `failed`.
        case asked
        case running
        /// The command is gone; its end is told when its output was sent.
        case ended(Outcome)
        /// Nothing is left to do.
        case gone
    }

    enum Event: Hashable, Sendable {
        case started
        /// `isKept`: the launcher keeps its spools until they are released.
        case ended(Outcome, isKept: Bool)
        /// The client wants its end.
        case cancel
        /// The client went away.
        case leave
        /// The session that asked for it is over: there is nobody to tell.
        case sessionLost
        /// Its end was handed to the session.
        case told
    }

    enum Action: Hashable, Sendable {
        case tellStart
        /// Ask the launcher to end the command: SIGTERM, grace, kill.
        case end
        /// Send what is left of the output, then the end.
        case offer
        /// Let the launcher forget it.
        case release
        /// Drop everything about it.
        case forget
    }

    private(set) var phase = Phase.asked
    private(set) var isCancelled = false
    /// Whether its output is not wanted any more.
    private(set) var isLeft = false
    private var hasSession = true
    /// Whether the launcher keeps something under its id.
    private var isKept = true

    /// Whether a command is being started or runs.
    var isActive: Bool { phase == .asked || phase == .running }

    /// How it ended, once that can be told.
    var end: Outcome? { if case .ended(let outcome) = phase { outcome } else { nil } }

    /// Applies an event. One that comes too late or twice changes nothing and asks for nothing.
    mutating func handle(_ event: Event) -> [Action] {
        switch (phase, event) {
        case (.asked, .started):
            phase = .running
            return isLeft ? [] : [.tellStart]
        case (.asked, .ended(let outcome, let isKept)), (.running, .ended(let outcome, let isKept)):
            phase = .ended(outcome)
            self.isKept = isKept
            return hasSession ? [.offer] : finish()
        case (.asked, .cancel), (.running, .cancel): return cancel()
        case (.asked, .leave), (.running, .leave):
            isLeft = true
            return cancel()
        case (.asked, .sessionLost), (.running, .sessionLost):
            isLeft = true
            hasSession = false
            return cancel()
        case (.ended, .leave):
            isLeft = true
            return [.offer]
        case (.ended, .told), (.ended, .sessionLost): return finish()
        default: return []
        }
    }

    /// Asked for once: the grace is always the job's.
    private mutating func cancel() -> [Action] {
        guard !isCancelled else { return [] }
        isCancelled = true
        return [.end]
    }

    private mutating func finish() -> [Action] {
        phase = .gone
        return (isKept ? [.release] : []) + [.forget]
    }
}
