import Foundation
import NIOCore
import SandpoolAPI
import SandpoolModel
import Testing

@testable import SandpoolCoordinator

/// Whether what is kept of output is what its worker says that the command wrote.
@Suite(.timeLimit(.minutes(1))) struct OutputVerificationTests {
    private static let nine = "sha256:19cc02f26df43cc571bc9ed7b0c4d29224a3ec229529221725ef76d021c8326f"
    private static let nothing = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

    /// A job whose stdout is `abcdefghi`, the last three bytes of it in the result, and whose stderr is in a file.
    private static func finishedJob(
        _ server: TestServer, _ known: FakeWorker? = nil, stderr: String = "",
        change: (inout Evidence) -> Void = { _ in }
    ) async throws -> (job: JobID, attempt: AttemptID) {
        let worker = if let known { known } else { try await FakeWorker(server) }
        let job = try await server.submit(#"{"command": ["seq", "3"]}"#)
        let lease = try await worker.assignment().lease
        try worker.send(lease, .stdout, at: 0, "abcdef")
        if !stderr.isEmpty { try worker.send(lease, .stderr, at: 0, stderr) }
        var evidence = Evidence()
        (evidence.reapedBy, evidence.stdoutBytes, evidence.stdoutDigest) = ("init", 9, nine)
        if !stderr.isEmpty { (evidence.stderrBytes, evidence.stderrDigest) = (9, nine) }
        change(&evidence)
        try worker.send(
            .results([
                AttemptResult(
                    lease: lease, outcome: Outcome(cause: .exited, exitCode: 0), evidence: evidence,
                    startedAt: job.createdAt, finishedAt: job.createdAt,
                    stdoutTail: OutputTail(offset: 6, bytes: ByteBuffer(string: "ghi")))
            ]))
        #expect(try await worker.verdict(of: lease) == .recorded)
        return (job.id, lease.attempt)
    }

    private static func verify(_ server: TestServer, _ job: JobID, _ query: String = "") async throws
        -> OutputVerification
    {
        try await server.json("GET", "/v1/jobs/\(job)/verification\(query)")
    }

    private static func file(_ server: TestServer, _ job: JobID, _ attempt: AttemptID, _ code: OutputStreamCode)
        -> String
    {
        OutputPaths(root: server.directory + "/output").file(of: .init(job: job, attempt: attempt, code: code))
    }

    @Test func fileAndTailTogetherAreComparedToTheByte() async throws {
        try await TestServer.run { server in
            let (job, attempt) = try await Self.finishedJob(server)
            for query in ["", "?attempt=1"] {
                let result = try await Self.verify(server, job, query)
                #expect(result.verdict == .ok && result.job == job && result.attempt == attempt && result.number == 1)
                #expect(result.streams.map(\.stream) == [.stdout, .stderr])
                #expect(result.streams.map(\.bytes) == [9, 0])
                #expect(result.streams.map(\.digest) == [Self.nine, Self.nothing])
                #expect(result.streams.map(\.writtenBytes) == [9, 0])
                #expect(result.streams.map(\.writtenDigest) == [Self.nine, nil])
            }
        }
    }

    @Test func aFlippedByteIsFoundWithItsStream() async throws {
        try await TestServer.run { server in
            let (job, attempt) = try await Self.finishedJob(server, stderr: "abcdefghi")
            #expect(try await Self.verify(server, job).verdict == .ok)
            try "abcdefghI".write(
                toFile: Self.file(server, job, attempt, .stderr), atomically: false, encoding: .utf8)
            let result = try await Self.verify(server, job)
            #expect(result.verdict == .differs && result.streams.map(\.verdict) == [.ok, .differs])
            #expect(result.streams[1].problem == "other bytes are kept than were written")
            #expect(result.streams[1].writtenDigest == Self.nine && result.streams[1].digest != Self.nine)

            func findings(reading: Bool) throws -> [CheckFinding] {
                var findings: [CheckFinding] = []
                _ = try CoordinatorCheck(dataDirectory: server.directory, readsOutput: reading)
                    .run { findings.append($0) }
                return findings
            }
            #expect(try findings(reading: false) == [], "its length is as it was")
            let finding = try #require(try findings(reading: true).first)
            #expect(finding.kind == .output && finding.place == "\(job) \(attempt)")
            #expect(finding.what == "its stderr is not what the command wrote")
        }
    }

    @Test func aTruncatedFileIsFound() async throws {
        try await TestServer.run { server in
            let (job, attempt) = try await Self.finishedJob(server)
            let file = Self.file(server, job, attempt, .stdout)
            try "abcde".write(toFile: file, atomically: false, encoding: .utf8)
            let stream = try #require(try await Self.verify(server, job).streams.first)
            #expect(stream.verdict == .differs && stream.bytes == 5, "the tail does not follow on it")
            #expect(stream.problem == "5 bytes are kept, and 9 were written")
            try FileManager.default.removeItem(atPath: file)
            #expect(try await Self.verify(server, job).streams.first?.bytes == 0)
        }
    }

    @Test func outputThatIsWholeAsksForNothingInTheCheck() async throws {
        try await TestServer.run { server in
            let worker = try await FakeWorker(server)
            _ = try await Self.finishedJob(server, worker, stderr: "abcdefghi")
            _ = try await Self.finishedJob(server, worker) { ($0.stdoutDigest, $0.stderrDigest) = (nil, nil) }
            let summary = try CoordinatorCheck(dataDirectory: server.directory, readsOutput: true)
                .run { Issue.record("\($0)") }
            #expect(summary.attempts == 2)
        }
    }

    @Test func withoutADigestNobodyCanTell() async throws {
        try await TestServer.run { server in
            let (job, _) = try await Self.finishedJob(server) { $0.stdoutDigest = nil }
            let result = try await Self.verify(server, job)
            #expect(result.verdict == .unknown && result.streams.map(\.verdict) == [.unknown, .ok])
        }
    }

    /// The end of the output went down with its host: the coordinator says so, whatever the worker claims.
    @Test func lostOutputIsSaidAsSuch() async throws {
        try await TestServer.run { server in
            let (job, _) = try await Self.finishedJob(server) { evidence in
                (evidence.stderrBytes, evidence.stderrDigest) = (4, Self.nine)
                evidence.lostStdoutBytes = 5
            }
            let result = try await Self.verify(server, job)
            #expect(result.streams.map(\.verdict) == [.ok, .unknown])
            #expect(
                result.streams[1].problem
                    == "the last 4 of 4 bytes were lost with their host, and the rest cannot be compared")
            let evidence = try #require(try await server.job(job).attempts.first?.evidence)
            #expect(evidence.lostStdoutBytes == nil && evidence.lostStderrBytes == 4)
            var findings: [CheckFinding] = []
            _ = try CoordinatorCheck(dataDirectory: server.directory, readsOutput: true).run { findings.append($0) }
            #expect(findings == [], "it is known and was said")
        }
    }

    @Test func whatHasNotEndedIsRefused() async throws {
        try await TestServer.run { server in
            let queued = try await server.submit(#"{"command": ["true"]}"#)
            let path = "/v1/jobs/\(queued.id)/verification"
            #expect(try await server.failure("GET", path) == (409, "not_started"))
            let worker = try await FakeWorker(server)
            let lease = try await worker.assignment().lease
            #expect(try await server.failure("GET", path) == (409, "not_finished"))
            #expect(try await server.failure("GET", path + "?attempt=2") == (404, "not_found"))
            #expect(try await server.failure("GET", path + "?attempt=0").status == 422)
            try await worker.finish(lease)
            #expect(try await Self.verify(server, queued.id).verdict == .unknown, "nobody reaped a command")
            #expect(try await server.failure("GET", "/v1/jobs/nobody/verification").status == 404)
        }
    }

    @Test func aDigestThatIsNoneEndsTheSession() async throws {
        try await TestServer.run { server in
            let worker = try await FakeWorker(server)
            let job = try await server.submit(#"{"command": ["true"]}"#)
            let lease = try await worker.assignment().lease
            var evidence = Evidence()
            evidence.stdoutDigest = "sha256:short"
            try worker.send(
                .results([
                    AttemptResult(
                        lease: lease, outcome: Outcome(cause: .exited, exitCode: 0), evidence: evidence,
                        startedAt: job.createdAt, finishedAt: job.createdAt)
                ]))
            guard case .failed(let error) = try await worker.next() else { throw TestFailure("not refused") }
            #expect(error.code == "invalid_message")
        }
    }
}
