import Synchronization

/// Wakes one waiting loop. Signals that come while it works count as one.
final class Signal: Sendable {
    private enum State {
        case idle
        case raised
        case waiting(CheckedContinuation<Void, Never>)
        case closed
    }

    private let state = Mutex(State.idle)

    func raise() { move(to: .raised) }

    /// Ends every wait, now and later.
    func close() { move(to: .closed) }

    var isClosed: Bool {
        state.withLock { if case .closed = $0 { true } else { false } }
    }

    private func move(to next: State) {
        let waiter: CheckedContinuation<Void, Never>? = state.withLock { state in
            switch (state, next) {
            case (.closed, _): return nil
            case (.waiting(let waiter), .raised):
                state = .idle
                return waiter
            case (.waiting(let waiter), _):
                state = next
                return waiter
            default:
                state = next
                return nil
            }
        }
        waiter?.resume()
    }

    /// Waits for a signal. Whether there will be more: `false` once closed or cancelled.
    func wait() async -> Bool {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let resumesNow = state.withLock { state in
                    switch state {
                    case .raised:
                        state = .idle
                        return true
                    case .closed:
                        return true
                    case .idle, .waiting:
                        state = .waiting(continuation)
                        return false
                    }
                }
                if resumesNow { continuation.resume() }
            }
        } onCancel: {
            close()
        }
        return !isClosed
    }
}
