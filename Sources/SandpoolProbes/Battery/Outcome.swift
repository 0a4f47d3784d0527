import Glibc

/// How an attack ended.
public enum Outcome: Equatable, Sendable {
    /// The sandbox held; the detail says how the attack was refused.
    case held(String)
    /// The attack succeeded.
    case through(String)
    /// It could not be tried, for this reason.
    case notRun(String)

    /// As the probe program prints it.
    public var word: String {
        switch self {
        case .held: return "held"
        case .through: return "through"
        case .notRun: return "not_run"
        }
    }

    public var detail: String {
        switch self {
        case .held(let detail), .through(let detail), .notRun(let detail): return detail
        }
    }

    /// The first that got through, else all details of one that held.
    static func first(of outcomes: [Outcome]) -> Outcome {
        for outcome in outcomes { if case .through = outcome { return outcome } }
        for outcome in outcomes { if case .held = outcome { return outcome } }
        return outcomes.first ?? .notRun("nothing to try")
    }
}
