import GRDB
import SandpoolModel
import Testing

@testable import SandpoolStore

/// The schema holds the invariants by itself: a wrong statement is refused, whatever wrote it.
@Suite struct ConstraintTests {
    /// Statements against a database with a queued job (sequence 1), a running one (2) and a finished one (3).
    static let broken: [(invariant: String, sql: String)] = [
        ("state", "UPDATE jobs SET state = 'paused' WHERE sequence = 1"),
        ("terminal_is_finished", "UPDATE jobs SET state = 'failed' WHERE sequence = 2"),
        ("terminal_is_finished", "UPDATE jobs SET finished_at_ms = NULL WHERE sequence = 3"),
        ("finished_has_cause", "UPDATE jobs SET cause = NULL, fault = NULL WHERE sequence = 3"),
        ("cause", "UPDATE jobs SET cause = 'boredom' WHERE sequence = 3"),
        ("cause_has_fault", "UPDATE jobs SET fault = NULL WHERE sequence = 3"),
        ("exited_has_code", "UPDATE jobs SET exit_code = NULL, state = 'failed' WHERE sequence = 3"),
        ("code_or_signal", "UPDATE jobs SET signal = 9 WHERE sequence = 3"),
        ("succeeded_is_exit_0", "UPDATE jobs SET exit_code = 1 WHERE sequence = 3"),
        ("succeeded_is_exit_0", "UPDATE jobs SET state = 'failed' WHERE sequence = 3"),
        ("exit_code", "UPDATE jobs SET state = 'failed', exit_code = 256 WHERE sequence = 3"),
        ("held_has_epoch", "UPDATE jobs SET state = 'starting' WHERE sequence = 1"),
        ("running_has_started", "UPDATE jobs SET started_at_ms = NULL WHERE sequence = 2"),
        ("only_queued_is_delayed", "UPDATE jobs SET not_before_ms = 1 WHERE sequence = 2"),
        ("queued_is_wanted", "UPDATE jobs SET cancel_requested_at_ms = 1 WHERE sequence = 1"),
        ("priority", "UPDATE jobs SET priority = 1001 WHERE sequence = 1"),
        ("require", "UPDATE jobs SET require = '[]' WHERE sequence = 1"),
        ("jobs.id", "UPDATE jobs SET id = (SELECT id FROM jobs WHERE sequence = 2) WHERE sequence = 1"),
        ("epoch", "UPDATE attempts SET epoch = 0"),
        ("state", "UPDATE attempts SET state = 'unreachable'"),
        ("terminal_is_finished", "UPDATE attempts SET state = 'lost' WHERE job = 2"),
        (
            "only_finished_has_cause",
            """
            UPDATE attempts SET cause = 'oom', fault = 'user', command_started = 1, retryable = 1 WHERE job = 2
            """
        ),
        ("reported_has_cause", "UPDATE attempts SET state = 'finished', finished_at_ms = 1 WHERE job = 2"),
        ("outcome_is_whole", "UPDATE attempts SET retryable = NULL WHERE job = 3"),
        ("only_reported_has_code", "UPDATE attempts SET state = 'lost' WHERE job = 3"),
        ("running_has_started", "UPDATE attempts SET started_at_ms = NULL WHERE job = 2"),
        ("FOREIGN KEY", "UPDATE attempts SET worker = 'wk-01k00000000000000000000000' WHERE job = 2"),
        ("FOREIGN KEY", "UPDATE attempts SET job = 99 WHERE job = 2"),
        (
            "attempts.job",
            """
            INSERT INTO attempts (id, job, epoch, worker, state, created_at_ms)
            SELECT 'at-01k00000000000000000000000', job, 2, worker, 'leased', 1 FROM attempts WHERE job = 2
            """
        ),
        (
            "attempts.job, attempts.epoch",
            """
            INSERT INTO attempts (id, job, epoch, worker, state, created_at_ms, finished_at_ms)
            SELECT 'at-01k00000000000000000000000', job, epoch, worker, 'lost', 1, 1 FROM attempts WHERE job = 2
            """
        ),
        ("length(bytes)", "INSERT INTO output_tails VALUES (1, 'stdout', 0, zeroblob(32769))"),
        ("stream", "INSERT INTO output_tails VALUES (1, 'stdin', 0, x'00')"),
        ("cannot store", "INSERT INTO output_tails VALUES (1, 'stdout', 0, 'text')"),
        ("deadline_only_while_draining", "UPDATE workers SET drain_deadline_ms = 1"),
        (
            "role",
            "INSERT INTO tokens VALUES ('tk-01k00000000000000000000000', 'x', 'root', hex(zeroblob(32)), 1, NULL, NULL)"
        ),
        ("id = 1", "INSERT INTO coordinator VALUES (2, '01k00000000000000000000000', 1, 1, NULL)"),
        ("json_type(spec)", "UPDATE job_specs SET spec = '[]'"),
    ]

    @Test(arguments: broken)
    func aBrokenInvariantIsRefused(broken: (invariant: String, sql: String)) async throws {
        try await withScratchDirectory { directory in
            let store = try await SQLiteJobStore.open(path: directory + "/store.sqlite", now: .origin)
            let worker = try await store.enrol()
            let ids = try await store.add(.sample(), .sample(), .sample())
            _ = try await store.run(ids[1], by: worker)
            _ = try await store.end(try await store.run(ids[2], by: worker))
            let error = await #expect(throws: StoreError.self) {
                try await store.write { try $0.execute(sql: broken.sql) }
            }
            guard case .invalid(let message) = error else {
                Issue.record("not a broken constraint: \(String(describing: error))")
                return
            }
            #expect(message.contains(broken.invariant))
            try await store.close()
        }
    }
}
