/// Why the worker cannot start or go on: one line that says what, where, and what to do.
public struct WorkerError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}
