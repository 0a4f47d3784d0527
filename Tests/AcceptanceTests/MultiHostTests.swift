import Foundation
import SandpoolModel
import SandpoolTestSupport
import Testing

/// A coordinator and three workers as hosts of their own, one of which loses power midway.
@Suite(.serialized) struct MultiHostTests {
    /// What each host has to run at least, however fast it is.
    private static let share = 60

    /// Three in four rounds of all six kinds have a host of their own, so that each has its share of what is not
    /// cancelled; the rest goes anywhere.
    private static func place(of index: Int) -> [String] {
        let host = index / 6 % 4
        return host < 3 ? ["--require", "host=\(host)"] : []
    }

    @Test func mixedJobsEndExactlyThoughAHostDies() async throws {
        let pool = try await Pool(workers: 3)
        defer { pool.remove() }
        let expected = (0..<300).map(MixedJob.make)
        var identifiers: [String: String] = [:]
        for (index, job) in expected.enumerated() {
            let answer = try pool.check(["submit"] + Self.place(of: index) + job.arguments.dropFirst())
            identifiers[job.name] = answer.text.trimmingCharacters(in: .whitespacesAndNewlines)
            if index == 150 { pool.crashHost(1) }
            if index == 200 { try pool.startWorker(1) }
        }
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
