import Foundation
import SandpoolModel
import SandpoolTestSupport
import Testing

/// A coordinator and three workers as hosts of their own, one of which loses power midway.
@Suite(.serialized) struct MultiHostTests {
    /// What each host has to run at least; the one that dies does so when it has.
    private static let share = 60

    @Test func mixedJobsEndExactlyThoughAHostDies() async throws {
        let pool = try await Pool(workers: 3)
        defer { pool.remove() }
        let expected = (0..<300).map(MixedJob.make)
        var identifiers: [String: String] = [:]
        var crashedAt: Int?
        for (index, job) in expected.enumerated() {
            identifiers[job.name] = try pool.check(job.arguments).text.trimmingCharacters(in: .whitespacesAndNewlines)
            if let crashedAt {
                if index == crashedAt + 50 { try pool.startWorker(1) }
            } else if index >= 120, try pool.jobsRun(by: 1) >= Self.share {
                pool.crashHost(1)
                crashedAt = index
            }
        }
        if crashedAt == nil {
            try await eventually("host 1 has run its share") { try pool.jobsRun(by: 1) >= Self.share }
            pool.crashHost(1)
        }
        if (crashedAt ?? expected.count) + 50 >= expected.count { try pool.startWorker(1) }
        let cancelled = try expected.filter(\.isCancelled).map { try #require(identifiers[$0.name]) }
        try pool.check(["cancel"] + cancelled)
        try await eventually("all jobs are finished\n\(pool.logs)", within: .seconds(300)) {
            try pool.jobs().allSatisfy(\.state.isTerminal)
        }

        let jobs = Dictionary(uniqueKeysWithValues: try pool.jobs().map { ($0.name ?? "", $0) })
        #expect(jobs.count == expected.count)
        for want in expected {
            let job = try #require(jobs[want.name])
            #expect(job.state == want.state, "\(want.name): \(job.message ?? "")")
            #expect(job.cause == want.cause, "\(want.name)")
            #expect(job.returnCode == want.returnCode, "\(want.name)")
            #expect(job.exitCode == want.exitCode, "\(want.name)")
            // A cancelled job may have been running, and died of it, or may never have started.
            if !want.isCancelled { #expect(job.signal == want.signal, "\(want.name)") }
            let output = try pool.check(["logs", job.id.text])
            #expect(output.stdout == want.stdout, "\(want.name): \(output.stdout.count) bytes of stdout")
            #expect(output.stderr == want.stderr, "\(want.name): \(output.errorText)")
        }
        let shares = Dictionary(grouping: jobs.values.compactMap { $0.attempts.last?.worker }, by: { $0 })
        #expect(shares.count == 3)
        for (worker, share) in shares { #expect(share.count >= Self.share, "\(worker) ran \(share.count)") }
    }
}
