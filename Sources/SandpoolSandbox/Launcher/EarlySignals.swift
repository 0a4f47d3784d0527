import Glibc

/// Signals for a command that was not executed yet, in the order in which they came. As of a process that blocks them,
/// each is there once at most, a signal that stops takes SIGCONT away and SIGCONT all that stop (signal(7)): who was
/// stopped and continued runs.
struct EarlySignals {
    private static let stops = [SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU].map { UInt8($0) }
    private static let goingOn = UInt8(SIGCONT)

    private var signals: [UInt8] = []

    mutating func insert(_ signal: UInt8) {
        if signal == Self.goingOn {
            signals.removeAll(where: Self.stops.contains)
        } else if Self.stops.contains(signal) {
            signals.removeAll { $0 == Self.goingOn }
        }
        if !signals.contains(signal) { signals.append(signal) }
    }

    /// Takes them all, SIGCONT last: what is sent before it is there when the command goes on.
    mutating func take() -> [UInt8] {
        defer { signals = [] }
        return signals.filter { $0 != Self.goingOn } + signals.filter { $0 == Self.goingOn }
    }
}
