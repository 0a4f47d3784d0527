/// How one attack of the probe battery ended, as the probe program prints it.
public struct ProbeFinding: Codable, Hashable, Sendable {
    public enum Result: String, Codable, Hashable, Sendable {
        /// The sandbox held.
        case held
        /// The attack succeeded.
        case through
        /// It could not be tried.
        case notRun = "not_run"
    }

    public var probe: String
    public var topic: String
    public var result: Result
    /// How it was refused, what it reached, or why it was not tried.
    public var detail: String

    public init(probe: String, topic: String, result: Result, detail: String) {
        self.probe = probe
        self.topic = topic
        self.result = result
        self.detail = detail
    }
}
