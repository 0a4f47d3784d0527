import SandpoolModel
import Testing

/// What is said of a stream that is kept, by what its worker said of it.
@Suite struct OutputVerificationTests {
    private static let digest = "sha256:" + String(repeating: "a", count: 64)
    private static let other = "sha256:" + String(repeating: "b", count: 64)
    private static let moment = Timestamp(milliseconds: 0)

    private static func attempt(
        _ state: AttemptState = .finished, _ change: (inout Evidence) -> Void = { _ in }
    ) -> Attempt {
        var evidence = Evidence()
        (evidence.reapedBy, evidence.stdoutBytes, evidence.stdoutDigest) = ("init", 9, digest)
        change(&evidence)
        return Attempt(
            id: .make(at: moment), worker: .make(at: moment), epoch: 1, state: state,
            outcome: Outcome(cause: .exited, exitCode: 0), evidence: evidence, createdAt: moment)
    }

    private static func stdout(_ bytes: Int64, _ kept: String = digest, of attempt: Attempt) -> VerifiedStream {
        VerifiedStream(.stdout, bytes: bytes, digest: kept, of: attempt)
    }

    @Test func theSameBytesAreOk() {
        let stream = Self.stdout(9, of: Self.attempt())
        #expect(stream.verdict == .ok && stream.problem == nil)
        #expect(stream.writtenBytes == 9 && stream.writtenDigest == Self.digest)
        let empty = VerifiedStream(.stderr, bytes: 0, digest: Self.digest, of: Self.attempt())
        #expect(empty.verdict == .ok && empty.writtenDigest == nil, "of nothing there is nothing to compare")
    }

    @Test func ofACutStreamItIsSaidThatItWasCut() {
        let stream = Self.stdout(9, of: Self.attempt { $0.outputTruncated = true })
        #expect(stream.verdict == .ok)
        #expect(stream.problem == "as its worker had it, and a stream of this command was cut there")
    }

    @Test func otherBytesAndOtherLengthsDiffer() {
        #expect(Self.stdout(9, Self.other, of: Self.attempt()).problem == "other bytes are kept than were written")
        for bytes: Int64 in [0, 8, 10] {
            let stream = Self.stdout(bytes, of: Self.attempt())
            #expect(stream.verdict == .differs)
            #expect(stream.problem == "\(bytes) bytes are kept, and 9 were written")
        }
        let more = VerifiedStream(.stderr, bytes: 1, digest: Self.digest, of: Self.attempt())
        #expect(more.verdict == .differs, "nothing was written to it")
    }

    @Test func whatNobodyCanTellIsNotOk() {
        let older = Self.stdout(9, of: Self.attempt { $0.stdoutDigest = nil })
        #expect(older.verdict == .unknown && older.problem?.hasPrefix("its worker sent no digest") == true)
        let short = Self.stdout(8, of: Self.attempt { $0.stdoutDigest = nil })
        #expect(short.verdict == .differs, "its length says enough")
        #expect(Self.stdout(9, of: Self.attempt { $0.reapedBy = nil }).verdict == .unknown)
        #expect(Self.stdout(0, of: Self.attempt(.running)).problem == "the attempt has not ended")
        var gone = Self.attempt(.lost)
        gone.evidence = nil
        #expect(Self.stdout(0, of: gone).verdict == .unknown)
        gone.outcome?.commandStarted = false
        #expect(Self.stdout(0, of: gone).verdict == .ok, "what never ran wrote nothing")
    }

    @Test func whatWentDownWithItsHostIsSaidAsSuch() {
        let lost = Self.attempt { $0.lostStdoutBytes = 4 }
        let stream = Self.stdout(5, of: lost)
        #expect(stream.verdict == .unknown)
        #expect(stream.problem == "the last 4 of 9 bytes were lost with their host, and the rest cannot be compared")
        #expect(Self.stdout(9, of: lost).verdict == .differs)
    }

    @Test func theWholeIsAsBadAsItsWorstStream() {
        let streams = [
            VerifiedStream(.stderr, bytes: 0, digest: "", of: Self.attempt()), Self.stdout(9, of: Self.attempt()),
            Self.stdout(9, of: Self.attempt { $0.stdoutDigest = nil }), Self.stdout(8, of: Self.attempt()),
        ]
        let verdicts = (1...4).map { count in
            OutputVerification(
                job: .make(at: Self.moment), attempt: .make(at: Self.moment), number: 1,
                streams: Array(streams.prefix(count))
            ).verdict
        }
        #expect(verdicts == [.ok, .ok, .unknown, .differs])
    }
}
