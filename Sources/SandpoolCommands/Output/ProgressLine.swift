import Sandpool
import SandpoolModel
import Synchronization

/// One line on a terminal that says what a job waits for, from a second on; gone as soon as output comes.
///
/// Where stderr is no terminal there is no such line, and only a wait's reason is told, once.
final class ProgressLine: Sendable {
    private struct State {
        var text = ""
        var isShown = false
        var isDue = false
        var toldNote: String?
    }

    private let state = Mutex(State())
    let isLive = StandardError.isTerminal
    /// Whether a wait's reason is told where there is no such line. An embedded pool's worker is on its way.
    private let tellsWaits: Bool

    init(tellsWaits: Bool) { self.tellsWaits = tellsWaits }

    /// Lets the line appear once a second has passed; returns when cancelled.
    func run() async {
        guard isLive else { return }
        try? await Task.sleep(for: .seconds(1))
        guard !Task.isCancelled else { return }
        state.withLock { state in
            state.isDue = true
            Self.draw(&state)
        }
    }

    func update(_ job: JobState, note: String?) {
        state.withLock { state in
            guard isLive else {
                guard tellsWaits, job == .queued, let note, note != state.toldNote else { return }
                state.toldNote = note
                StandardError.line("sandpool: \(TerminalText.harmless(note))")
                return
            }
            state.text = job == .running ? "" : job.rawValue + (tellsWaits ? note.map { ": \($0)" } ?? "" : "")
            Self.draw(&state)
        }
    }

    /// Takes the line away before something else is written.
    func clear() {
        state.withLock { state in
            state.text = ""
            Self.draw(&state)
        }
    }

    private static func draw(_ state: inout State) {
        if state.isShown { StandardError.raw("\r\u{1B}[K") }
        state.isShown = state.isDue && !state.text.isEmpty
        if state.isShown { StandardError.raw(TerminalText.harmless(state.text, limit: 100)) }
    }
}
