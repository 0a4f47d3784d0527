import Glibc
import SandpoolModel
import SandpoolTestSupport
import Testing

/// What is left of a `run` whose process is gone at once. That the window ends a job is the coordinator's own
/// test, which can shorten it.
@Suite(.enabled(if: geteuid() == 0, "sandboxes need root"), .timeLimit(.minutes(2))) struct VanishedClientTests {
    @Test(arguments: [[], ["--cpus", "1"]])
    func aDetachedJobGoesOn(_ options: [String]) async throws {
        try await PoolProcesses.with(worker: true) { pool in
            let script = "echo up; sleep 1; echo done; exit 3"
            for policy in [DisconnectPolicy.cancel, .detach] {
                let run = try pool.start(
                    ["run", "--block-network", "--on-disconnect", policy.rawValue] + options
                        + ["--name", policy.rawValue, "--", "sh", "-c", script])
                try await eventually("it runs") { run.stdoutBytes > 0 }
                run.signal(SIGKILL)
                _ = try await run.end()
            }
            // Within its window a job goes on by either policy, and its end is kept.
            for policy in [DisconnectPolicy.cancel, .detach] {
                let waited = try pool.run(["wait", policy.rawValue])
                #expect(waited.status == 3)
                #expect(try pool.run(["logs", policy.rawValue]).stdout == "up\ndone\n")
                let job = try #require(try pool.jobs().first { $0.name == policy.rawValue })
                #expect(job.spec.onDisconnect == policy)
                #expect(job.attempts.count == 1)
            }
        }
    }

    /// It does not wait for what would go on to write to it.
    @Test func aReaderThatIsGoneEndsAJobThatIsWrittenTo() async throws {
        try await PoolProcesses.with(worker: true) { pool in
            let line = "yes | \(Program.path) run --block-network --grace 30 -i -- sh -c \(Self.stubborn) | head -n 1"
            let piped = try RunningProgram(["/bin/sh", "-c", line], environment: pool.environment)
            #expect(try await piped.end().stdout == "y\n")
        }
    }

    /// Copies its input and outlasts a SIGTERM, so that it has not ended when its client leaves.
    private static let stubborn = "'trap \"\" TERM PIPE; cat; sleep 60'"

    @Test func withoutAWordItIsCancelled() async throws {
        try await PoolProcesses.with { pool in
            let runs = try [["run"], ["run", "--key", "k"], ["submit"]].map { words in
                try pool.start(words + ["--", "true"])
            }
            try await eventually("all are stored") { try pool.jobs().count == 3 }
            let policies = Dictionary(grouping: try pool.jobs(), by: \.spec.onDisconnect)
            #expect(policies[.cancel]?.map(\.spec.idempotencyKey) == [nil])
            #expect(policies[.detach]?.count == 2)
            withExtendedLifetime(runs) {}
        }
    }
}
