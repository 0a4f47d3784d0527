import Foundation
import NIOCore
import SandpoolAPI
import SandpoolModel
import Testing

@testable import SandpoolCoordinator

/// The checker on a coordinator that runs, and on the files beside its database.
@Suite(.timeLimit(.minutes(1)))
struct CheckTests {
    private static func check(_ server: TestServer) throws -> [CheckFinding] {
        var findings: [CheckFinding] = []
        let summary = try CoordinatorCheck(dataDirectory: server.directory).run { findings.append($0) }
        #expect(summary.findings == findings.count)
        return findings
    }

    /// A job with 6 bytes in its segment file and 3 in its tail, as a worker reports it that reaped the command.
    private static func finishedJob(_ server: TestServer) async throws -> (JobID, AttemptID) {
        let worker = try await FakeWorker(server)
        let job = try await server.submit(#"{"command": ["seq", "3"]}"#)
        let lease = try await worker.assignment().lease
        try worker.send(lease, .stdout, at: 0, "abcdef")
        var evidence = Evidence()
        (evidence.reapedBy, evidence.stdoutBytes) = ("init", 9)
        let moment = job.createdAt
        try worker.send(
            .results([
                AttemptResult(
                    lease: lease, outcome: Outcome(cause: .exited, exitCode: 0), evidence: evidence,
                    startedAt: moment, finishedAt: moment,
                    stdoutTail: OutputTail(offset: 6, bytes: ByteBuffer(string: "ghi")))
            ]))
        #expect(try await worker.verdict(of: lease) == .recorded)
        return (job.id, lease.attempt)
    }

    @Test func aRunningCoordinatorIsCleanAndNotDisturbed() async throws {
        try await TestServer.run { server in
            #expect(try Self.check(server) == [])
            let (id, _) = try await Self.finishedJob(server)
            _ = try await server.submit(#"{"command": ["true"]}"#)
            #expect(try Self.check(server) == [])
            #expect(try await server.job(id).state == .succeeded)
        }
    }

    @Test func outputThatIsNotThereToTheByteIsFound() async throws {
        try await TestServer.run { server in
            let (job, attempt) = try await Self.finishedJob(server)
            let paths = OutputPaths(root: server.directory + "/output")
            let file = paths.file(of: .init(job: job, attempt: attempt, code: .stdout))
            for (bytes, what) in [
                ("abcdefghij", "10 bytes of its stdout are there, and 9 were reported"),
                ("abcde", "bytes 5 to 6 of its stdout are not there"),
                ("", "bytes 0 to 6 of its stdout are not there"),
            ] {
                try bytes.write(toFile: file, atomically: false, encoding: .utf8)
                let finding = try #require(try Self.check(server).first)
                #expect(finding.kind == .output && finding.what == what && finding.place == "\(job) \(attempt)")
            }
            try FileManager.default.removeItem(atPath: file)
            #expect(try Self.check(server).map(\.kind) == [.output])
        }
    }

    @Test func filesThatBelongToNothingAreNamed() async throws {
        try await TestServer.run { server in
            let (job, attempt) = try await Self.finishedJob(server)
            let paths = OutputPaths(root: server.directory + "/output")
            let gone = JobID.make(at: Timestamp(milliseconds: 1))
            let orphans = [
                paths.root + "/x", paths.folder(of: gone), paths.folder(of: job) + "/\(attempt).stdin",
                paths.folder(of: job) + "/\(AttemptID.make(at: Timestamp(milliseconds: 1))).stderr",
            ]
            for path in orphans {
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            }
            let findings = try Self.check(server)
            #expect(Set(findings.map(\.place)) == Set(orphans))
            #expect(findings.allSatisfy { $0.kind == .orphan })
        }
    }

    @Test func aBlobThatAJobNeedsIsMissed() async throws {
        try await TestServer.run { server in
            let info: BlobInfo = try await server.json("POST", "/v1/blobs", body: "archive")
            let job = try await server.submit(
                #"{"command": ["true"], "mounts": [{"blob": "\#(info.digest)", "path": "/in"}]}"#)
            #expect(try Self.check(server) == [])
            let path = try #require(BlobStore.path(of: info.digest, in: server.directory + "/blobs"))
            try FileManager.default.removeItem(atPath: path)
            #expect(try Self.check(server).map(\.kind) == [.blob])
            // Once it is over, nothing needs its mounts.
            _ = try await server.request("POST", "/v1/jobs/\(job.id)/cancel")
            #expect(try Self.check(server) == [])
        }
    }

    @Test func whatIsNoDataDirectoryIsRefused() throws {
        let directory = try TestDirectory()
        #expect(throws: CoordinatorError.self) { try CoordinatorCheck(dataDirectory: directory.path).run { _ in } }
        try "7\n".write(toFile: directory.path + "/version", atomically: false, encoding: .utf8)
        #expect(throws: CoordinatorError.self) { try CoordinatorCheck(dataDirectory: directory.path).run { _ in } }
    }
}
