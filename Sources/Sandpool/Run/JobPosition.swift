import SandpoolModel

/// How far the output of a job was read.
public struct JobPosition: Hashable, Sendable {
    public var job: JobID
    /// The attempt that the offsets are of; `nil` before there was one.
    public var attempt: AttemptID?
    /// The next byte of each stream.
    public var stdout: Int64
    public var stderr: Int64

    public init(job: JobID, attempt: AttemptID?, stdout: Int64, stderr: Int64) {
        self.job = job
        self.attempt = attempt
        self.stdout = stdout
        self.stderr = stderr
    }

    /// Whether anything was read.
    package var hasOutput: Bool { stdout > 0 || stderr > 0 }
}
