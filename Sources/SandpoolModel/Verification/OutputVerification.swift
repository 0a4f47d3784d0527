/// Whether what a coordinator keeps of an attempt's output is, byte for byte, what the command wrote.
public struct OutputVerification: Codable, Hashable, Sendable {
    public enum Verdict: String, Codable, Hashable, Sendable, CaseIterable {
        case ok
        /// Something else is kept than was written.
        case differs
        /// Nobody can tell any more.
        case unknown
    }

    public var job: JobID
    public var attempt: AttemptID
    /// Which of the job's attempts it is, from 1 on.
    public var number: Int64
    /// That of the whole: of a stream that differs, else of one that cannot be told.
    public var verdict: Verdict
    public var streams: [VerifiedStream]

    public init(job: JobID, attempt: AttemptID, number: Int64, streams: [VerifiedStream]) {
        self.job = job
        self.attempt = attempt
        self.number = number
        self.streams = streams
        let verdicts = Set(streams.map(\.verdict))
        verdict = [.differs, .unknown].first(where: verdicts.contains) ?? .ok
    }
}

/// One stream of an attempt, as it is kept and as its worker saw it.
public struct VerifiedStream: Codable, Hashable, Sendable {
    public var stream: OutputStream
    public var verdict: OutputVerification.Verdict
    /// Bytes that are kept.
    public var bytes: Int64
    /// `sha256:` and their digest.
    public var digest: String
    /// Bytes that the command wrote, as far as its limit let it; absent where nobody saw it end.
    public var writtenBytes: Int64?
    public var writtenDigest: String?
    /// What is wrong, or why it cannot be told.
    public var problem: String?

    /// Compares what is kept of a stream with what the attempt's evidence says of it.
    public init(_ stream: OutputStream, bytes: Int64, digest: String, of attempt: Attempt) {
        self.stream = stream
        self.bytes = bytes
        self.digest = digest
        let evidence = attempt.evidence ?? Evidence()
        (verdict, problem) = (.unknown, nil)
        guard attempt.state.isTerminal else {
            problem = "the attempt has not ended"
            return
        }
        guard let written = evidence.written(to: stream, outcome: attempt.outcome) else {
            problem = "nobody saw the command end, so it is not known what it wrote"
            return
        }
        writtenBytes = written
        writtenDigest = evidence.digest(of: stream)
        let lost = evidence.lostBytes(of: stream)
        guard bytes == written - lost else {
            verdict = .differs
            problem = "\(bytes) bytes are kept, and \(written) were written"
            return
        }
        if lost > 0 {
            problem = "the last \(lost) of \(written) bytes were lost with their host, and the rest cannot be compared"
        } else if bytes == 0 {
            verdict = .ok
        } else if let writtenDigest {
            verdict = writtenDigest == digest ? .ok : .differs
            if verdict == .differs {
                problem = "other bytes are kept than were written"
            } else if evidence.outputTruncated {
                problem = "as its worker had it, and a stream of this command was cut there"
            }
        } else {
            problem = "its worker sent no digest: it is an older release, or could not read what it had kept"
        }
    }
}

extension Evidence {
    /// How long a stream was when its command was reaped; `nil` where nobody reaped one.
    public func bytes(of stream: OutputStream) -> Int64? {
        guard reapedBy != nil else { return nil }
        return stream == .stdout ? stdoutBytes : stderrBytes
    }

    public func digest(of stream: OutputStream) -> String? { stream == .stdout ? stdoutDigest : stderrDigest }

    /// Bytes at a stream's end that never came to the coordinator.
    public func lostBytes(of stream: OutputStream) -> Int64 {
        (stream == .stdout ? lostStdoutBytes : lostStderrBytes) ?? 0
    }

    /// A command that was never started has written nothing.
    fileprivate func written(to stream: OutputStream, outcome: Outcome?) -> Int64? {
        bytes(of: stream) ?? (outcome?.commandStarted == false ? 0 : nil)
    }
}
