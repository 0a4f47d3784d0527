import SandpoolModel

/// The stream of `sandpool exec`: `POST /v1/jobs/REF/exec`. The request body's first frame is an `ExecSpec` as bare
/// JSON; `input` frames and `ExecControl`s follow while the response body carries `output` frames and `ExecEvent`s.
///
/// What is wrong with the job or the spec is the response's status. The stream ends after `ended`. The client's end of
/// its request body means no more input. A client that goes away ends the command; nothing of it is stored.
public enum ExecControl: Codable, Hashable, Sendable {
    /// Send a signal to the command.
    case signal(Int)
    /// End the command: SIGTERM, grace, kill.
    case cancel
}

public enum ExecEvent: Codable, Hashable, Sendable {
    /// The worker was asked. Input frames carry this id.
    case created(id: ExecID, job: JobID)
    /// The command runs.
    case started
    /// How much of standard input was taken, so that the client's window moves.
    case inputConsumed(Int64)
    /// All output has been sent before this.
    case ended(ExecEnd)
    /// The stream failed; nothing follows. The job goes on.
    case failed(APIError)
}

/// An exec as a worker is asked for it. The spec is complete: what it takes over from the job is filled in.
public struct ExecAssignment: Codable, Hashable, Sendable {
    public var id: ExecID
    /// The attempt in whose sandbox it runs.
    public var lease: AttemptLease
    public var spec: ExecSpec

    /// Most execs of one job at once.
    public static let perJob = 16
    /// Most execs on one worker at once.
    public static let perWorker = 128
    /// Most bytes of both output streams that a worker sends ahead of what the client took.
    public static let outputWindow: Int64 = 512 << 10

    public init(id: ExecID, lease: AttemptLease, spec: ExecSpec) {
        self.id = id
        self.lease = lease
        self.spec = spec
    }
}

/// The end of an exec as its worker tells it.
public struct ExecResult: Codable, Hashable, Sendable {
    public var id: ExecID
    public var outcome: Outcome
    /// Bytes of each stream in all, every one of which was sent before, unless nobody wanted them.
    public var stdoutBytes: Int64
    public var stderrBytes: Int64

    public init(id: ExecID, outcome: Outcome, stdoutBytes: Int64, stderrBytes: Int64) {
        self.id = id
        self.outcome = outcome
        self.stdoutBytes = stdoutBytes
        self.stderrBytes = stderrBytes
    }
}
