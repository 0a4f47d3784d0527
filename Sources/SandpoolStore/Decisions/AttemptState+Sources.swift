import SandpoolModel

extension AttemptState {
    /// The states from which `event` moves an attempt: what a fenced write's `state IN (…)` lists.
    static func sources(of event: AttemptEvent) -> [AttemptState] {
        allCases.filter { if case .move = $0.decide(event) { true } else { false } }
    }
}

extension ProgressReport.Step {
    package var event: AttemptEvent {
        switch self {
        case .preparing: .preparing
        case .building: .building
        case .started: .started
        }
    }
}

extension LossReport.Kind {
    package var event: AttemptEvent {
        switch self {
        case .lost: .lost
        case .superseded: .superseded
        }
    }
}
