/// How an exec ended, as its client is told.
public struct ExecEnd: Codable, Hashable, Sendable {
    /// The code that a shell would report; absent where Sandpool could not run the command.
    public var returnCode: Int?
    /// Exit status 0–255, where the command exited and was reaped.
    public var exitCode: Int?
    public var signal: Int?
    public var cause: Cause
    /// One line for people.
    public var message: String?

    public init(_ outcome: Outcome) {
        returnCode = outcome.returnCode
        exitCode = outcome.exitCode
        signal = outcome.signal
        cause = outcome.cause
        message = outcome.message
    }
}
