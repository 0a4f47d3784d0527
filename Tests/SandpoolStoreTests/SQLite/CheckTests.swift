import Foundation
import GRDB
import SandpoolModel
import Testing

@testable import SandpoolStore

/// The checker finds each kind of damage, and nothing where there is none.
@Suite struct CheckTests {
    /// Statements against `Sample`, each with what it has to be found as.
    static let planted: [(kind: CheckFinding.Kind, sql: String)] = [
        (.state, "UPDATE jobs SET state = 'starting' WHERE sequence = 2"),
        (.state, "UPDATE jobs SET state = 'queued', started_at_ms = NULL WHERE sequence = 2"),
        (.state, "UPDATE jobs SET state = 'running', epoch = 1, started_at_ms = 1 WHERE sequence = 1"),
        (.state, "UPDATE jobs SET state = 'failed', exit_code = 1 WHERE sequence = 3"),
        (.state, "UPDATE jobs SET exit_code = 4 WHERE sequence = 4"),
        (.ending, "UPDATE jobs SET finished_at_ms = NULL WHERE sequence = 3"),
        (.ending, "UPDATE jobs SET cause = NULL, fault = NULL WHERE sequence = 5"),
        (.ending, "UPDATE attempts SET finished_at_ms = NULL WHERE job = 3"),
        (.ending, "UPDATE attempts SET finished_at_ms = created_at_ms WHERE job = 2"),
        (.result, "UPDATE jobs SET cause = 'oom', state = 'failed' WHERE sequence = 5"),
        (.result, "INSERT INTO late_results SELECT sequence, 1, '{}', '{}' FROM attempts WHERE job = 3"),
        (.result, "UPDATE attempts SET exit_code = 0 WHERE state = 'superseded'"),
        (
            .result,
            """
            INSERT INTO attempts (id, job, epoch, worker, state, created_at_ms, started_at_ms, finished_at_ms, cause,
                fault, exit_code, command_started, retryable)
            SELECT 'at-01k00000000000000000000000', job, 2, worker, state, created_at_ms, started_at_ms,
                finished_at_ms, cause, fault, exit_code, command_started, retryable
            FROM attempts WHERE job = 3
            """
        ),
        (.epoch, "UPDATE jobs SET epoch = 7 WHERE sequence = 3"),
        (.epoch, "UPDATE attempts SET epoch = 3 WHERE job = 3"),
        (.epoch, "DELETE FROM attempts WHERE job = 4 AND epoch = 1"),
        (
            .overlap,
            """
            DROP INDEX attempts_live_by_job;
            INSERT INTO attempts (id, job, epoch, worker, state, created_at_ms)
            SELECT 'at-01k00000000000000000000000', job, 2, worker, 'leased', created_at_ms FROM attempts WHERE job = 2
            """
        ),
        (
            .overlap,
            """
            INSERT INTO attempts (id, job, epoch, worker, state, created_at_ms)
            SELECT 'at-01k00000000000000000000000', job, 2, worker, 'leased', created_at_ms FROM attempts WHERE job = 3
            """
        ),
        (.overlap, "UPDATE attempts SET created_at_ms = 1, started_at_ms = 2 WHERE job = 4 AND epoch = 2"),
        (.retries, "UPDATE jobs SET user_failure_count = 0 WHERE sequence = 4"),
        (.retries, "UPDATE jobs SET workers_lost_count = 1 WHERE sequence = 1"),
        (.time, "UPDATE attempts SET finished_at_ms = 1 WHERE job = 3"),
        (.time, "UPDATE jobs SET finished_at_ms = 1 WHERE sequence = 3"),
        (.time, "UPDATE jobs SET started_at_ms = 1 WHERE sequence = 2"),
        (.lease, "UPDATE attempts SET worker = 'wk-01k00000000000000000000000' WHERE job = 2"),
        (.reference, "UPDATE attempts SET worker = 'wk-01k00000000000000000000000' WHERE job = 3"),
        (.reference, "DELETE FROM jobs WHERE sequence = 3"),
        (.spec, "UPDATE jobs SET priority = 3 WHERE sequence = 1"),
        (.spec, "UPDATE jobs SET idempotency_key = NULL WHERE sequence = 1"),
        (.spec, "DELETE FROM job_tags"),
        (.damaged, "DELETE FROM job_specs WHERE job = 1"),
        (.damaged, #"UPDATE job_specs SET spec = '{"command": 1}' WHERE job = 1"#),
        (.damaged, "UPDATE jobs SET id = 'sb-1' WHERE sequence = 1"),
        (.damaged, "UPDATE jobs SET state = 'paused' WHERE sequence = 1"),
        (.damaged, "UPDATE jobs SET message = 'x' WHERE 0; DELETE FROM coordinator"),
        (.damaged, "UPDATE tokens SET role = 'root'"),
    ]

    @Test(arguments: planted)
    func plantedDamageIsFound(planted: (kind: CheckFinding.Kind, sql: String)) async throws {
        try await withScratchDirectory { directory in
            let path = directory + "/store.sqlite"
            try await Sample.write(path)
            try await change(path, planted.sql)
            let found = try findings(in: path)
            #expect(found.map(\.kind).contains(planted.kind), "\(found)")
            for finding in found { #expect(!"\(finding)".contains("\n")) }
        }
    }

    /// But for those that are about files, which the database's checker does not see.
    @Test func everyKindIsPlanted() {
        let others: Set<CheckFinding.Kind> = [.output, .blob, .orphan]
        #expect(Set(Self.planted.map(\.kind)).union(others) == Set(CheckFinding.Kind.allCases))
    }

    @Test func aFileThatIsDamagedIsFound() async throws {
        try await withScratchDirectory { directory in
            let path = directory + "/store.sqlite"
            try await Sample.write(path)
            // The root of a table that the walk goes through, overwritten.
            let page = try await value(path, "SELECT rootpage FROM sqlite_schema WHERE name = 'job_specs'")
            let size = try await value(path, "PRAGMA page_size")
            let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
            try file.seek(toOffset: UInt64((page - 1) * size))
            try file.write(contentsOf: Data(repeating: 0x5A, count: size))
            try file.close()
            #expect(try findings(in: path).map(\.kind).contains(.damaged))
        }
    }

    /// Also while somebody writes: what is seen is one moment.
    @Test func whatStoresWriteIsClean() async throws {
        try await withScratchDirectory { directory in
            let path = directory + "/store.sqlite"
            try await Sample.write(path)
            #expect(try findings(in: path) == [])
            let store = try await SQLiteJobStore.open(path: path, now: .origin)
            let worker = try await store.enrol()
            async let written: Void = {
                for _ in 0..<200 {
                    let id = try await store.add(.sample())[0]
                    _ = try await store.end(try await store.run(id, by: worker))
                }
            }()
            for _ in 0..<10 { #expect(try findings(in: path) == []) }
            try await written
            try await store.close()
            let check = try DatabaseCheck(path: path)
            #expect(try check.run { Issue.record("\($0)") } == .init(jobs: 206, attempts: 205))
            try check.close()
        }
    }

    @Test func whatCannotBeLookedAtIsSaidInOneLine() async throws {
        try await withScratchDirectory { directory in
            let path = directory + "/store.sqlite"
            #expect(throws: StoreError.self) { try DatabaseCheck(path: path) }
            try await Sample.write(path)
            try await change(path, "PRAGMA user_version = 99")
            #expect(throws: StoreError.newerVersion(path: path, found: 99, supported: Migration.all.count)) {
                try DatabaseCheck(path: path)
            }
            try await change(path, "PRAGMA user_version = 1")
            #expect(throws: StoreError.self) { try DatabaseCheck(path: path) }
        }
    }

    private func change(_ path: String, _ sql: String) async throws {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = false
        let database = try DatabaseQueue(path: path, configuration: configuration)
        try await database.writeWithoutTransaction {
            try $0.execute(sql: "PRAGMA ignore_check_constraints = ON; \(sql)")
        }
        try database.close()
    }

    private func value(_ path: String, _ sql: String) async throws -> Int {
        let database = try DatabaseQueue(path: path)
        defer { try? database.close() }
        return try #require(try await database.read { try Int.fetchOne($0, sql: sql) })
    }
}

/// A database with jobs of every kind, by their sequence.
private enum Sample {
    static func write(_ path: String) async throws {
        let store = try await SQLiteJobStore.open(path: path, now: .origin)
        try await store.insertToken(.sample(role: .admin))
        let worker = try await store.enrol()
        let ids = try await store.add(
            .sample(key: "k") { $0.tags = ["os": "linux"] },
            .sample(),
            .sample(),
            .sample {
                $0.retries = 1
                $0.rerun = .never
            },
            .sample(),
            .sample { $0.rerun = .safe })
        // 1 waits, 2 runs, 3 has succeeded.
        _ = try await store.run(ids[1], by: worker)
        _ = try await store.end(try await store.run(ids[2], by: worker))
        // 4 has failed twice.
        for start in [10.0, 20] {
            let lease = try await store.run(ids[3], by: worker, at: .at(start))
            _ = try await store.end(lease, .failure, at: .at(start + 5))
            _ = try await store.advanceQueue(now: .at(start + 9))
        }
        // 5 was cancelled in the queue, 6 was replaced, and what it said then was kept aside.
        _ = try await store.cancel(ids[4], now: .at(30))
        let replaced = try await store.run(ids[5], by: worker, at: .at(30))
        let loss = LossReport(lease: replaced, kind: .superseded, outcome: .lostRunning)
        _ = try await store.recordLosses([loss], now: .at(40))
        _ = try await store.end(replaced, at: .at(50))
        try await store.close()
    }
}
