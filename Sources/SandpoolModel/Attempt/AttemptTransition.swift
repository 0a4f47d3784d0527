/// What happens to an attempt.
public enum AttemptEvent: Hashable, Sendable {
    /// The worker began to fetch and set up.
    case preparing
    /// The worker began to build the image.
    case building
    /// The command was exec'd.
    case started
    /// The worker reports the end.
    case ended(Outcome)
    /// The worker gives the attempt back without having started it.
    case returned
    /// Proof, or a long enough silence, that no worker holds it.
    case lost
    /// Another attempt takes its place.
    case superseded
}

/// What an event does to an attempt: the one decision that every writer of an attempt's row goes by.
public enum AttemptDecision: Hashable, Sendable {
    /// Record this state.
    case move(to: AttemptState)
    /// The event was recorded before; nothing to do, answer as if done now.
    case duplicate
    /// The event cannot happen in this state. The row stays as it is.
    case refuse
}

extension AttemptState {
    /// Decides what `event` does to an attempt in this state.
    ///
    /// Events arrive at least once and, after a reconnection, late: a step backwards is a duplicate, not an
    /// error, and nothing changes a terminal state.
    public func decide(_ event: AttemptEvent) -> AttemptDecision {
        switch (self, event) {
        case (.leased, .preparing): .move(to: .preparing)
        case (.leased, .building), (.preparing, .building): .move(to: .building)
        case (.leased, .started), (.preparing, .started), (.building, .started): .move(to: .running)
        case (.leased, .ended), (.preparing, .ended), (.building, .ended), (.running, .ended):
            .move(to: .finished)
        case (.leased, .lost), (.preparing, .lost), (.building, .lost), (.running, .lost): .move(to: .lost)
        case (.leased, .superseded), (.preparing, .superseded), (.building, .superseded),
            (.running, .superseded):
            .move(to: .superseded)
        // Given back: it never ran, so losing it costs nothing and its job goes back to the queue.
        case (.leased, .returned), (.preparing, .returned), (.building, .returned): .move(to: .lost)
        case (.running, .returned): .refuse
        case (.preparing, .preparing), (.building, .preparing), (.building, .building),
            (.running, .preparing), (.running, .building), (.running, .started):
            .duplicate
        case (.finished, .preparing), (.finished, .building), (.finished, .started), (.finished, .ended):
            .duplicate
        // Given back again because the first answer was lost on the way.
        case (.lost, .lost), (.lost, .returned), (.superseded, .superseded): .duplicate
        case (.finished, .lost), (.finished, .superseded), (.finished, .returned): .refuse
        case (.lost, _), (.superseded, _): .refuse
        }
    }
}
