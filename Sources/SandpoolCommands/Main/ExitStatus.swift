import Glibc

/// The code that this process ends with; thrown by a verb that ends with something else than success.
public struct ExitStatus: Error, Hashable, Sendable {
    public let code: Int32

    public init(code: Int32) { self.code = code }

    public static let success = ExitStatus(code: 0)
    /// Any failure of Sandpool or of its use.
    public static let sandpoolFailure = ExitStatus(code: 125)
    /// The user left while a job went on.
    public static let interrupted = ExitStatus(code: 128 + SIGINT)
    /// Nobody reads stdout any more.
    public static let closedOutput = ExitStatus(code: 128 + SIGPIPE)

    /// Ends the process. A closed output ends it by SIGPIPE, as the shell expects of a program in a pipeline.
    public func end() -> Never {
        if self == .closedOutput {
            signal(SIGPIPE, SIG_DFL)
            raise(SIGPIPE)
        }
        exit(code)
    }
}
