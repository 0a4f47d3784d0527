/// One attack that a hostile program would try, with what stands in its way.
public struct Probe: Sendable {
    public enum Topic: String, CaseIterable, Sendable {
        case mounts, kernel, sockets, processes, exhaustion
    }

    /// Where it makes sense.
    public enum Network: Sendable { case any, blocked, open }

    /// Lower case, words joined by hyphens; never changes its meaning.
    public let name: String
    public let topic: Topic
    /// What the attacker wants, for the published table.
    public let about: String
    /// What stands in its way: with all of these taken away it gets through. None where that cannot be shown.
    public let protections: [Protection]
    public let network: Network
    let attempt: @Sendable (Surroundings) -> Outcome

    init(
        _ name: String, _ topic: Topic, _ about: String, behind protections: [Protection], network: Network = .any,
        _ attempt: @escaping @Sendable (Surroundings) -> Outcome
    ) {
        self.name = name
        self.topic = topic
        self.about = about
        self.protections = protections
        self.network = network
        self.attempt = attempt
    }

    /// Whether it is over in milliseconds and takes nothing from its neighbours. The others run on demand only, each
    /// in a sandbox of its own, since that may be what ends.
    public var isQuick: Bool { topic != .exhaustion }
}
