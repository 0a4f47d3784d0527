import Glibc
import SandpoolModel
import SandpoolTestSupport
import Testing

/// What becomes of the launcher that a worker started for itself.
@Suite(.enabled(if: geteuid() == 0, "sandboxes need root"), .timeLimit(.minutes(2))) struct WorkerStopTests {
    @Test func anIdleLauncherEndsWithItsWorker() async throws {
        try await PoolProcesses.with(worker: true) { pool in
            #expect(try pool.run(["run", "--block-network", "--", "true"]).status == 0)
            try await eventually("the worker heard that the result is recorded") {
                try pool.workerHoldsNothing()
            }
            #expect(try await pool.stopWorker()?.status == 0)
            // Long gone, unless the host was so busy that the worker did not wait for it.
            try await eventually("the launcher is gone") { !pool.hasLauncher }
            // Nothing of the old one is in the way of the next.
            try await pool.startWorker()
            #expect(try pool.run(["run", "--block-network", "--", "true"]).status == 0)
        }
    }

    @Test func oneWithSandboxesGoesOnAndIsTakenOver() async throws {
        try await PoolProcesses.with(worker: true) { pool in
            let script = "echo up; while [ ! -e /tmp/go ]; do sleep 0.1; done; exit 9"
            let run = try pool.start(["run", "--block-network", "--name", "held", "--", "sh", "-c", script])
            try await eventually("it runs") { run.stdoutBytes == 3 }
            #expect(try await pool.stopWorker()?.status == 0)
            #expect(pool.hasLauncher)
            try await pool.startWorker()
            #expect(try pool.run(["cancel", "held"]).status == 0)
            #expect(try await run.end().status == 137)
            #expect(try await pool.stopWorker()?.status == 0)
            try await eventually("the launcher is gone") { !pool.hasLauncher }
        }
    }
}
