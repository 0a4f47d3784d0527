import Glibc
import SandpoolModel
import SandpoolTestSupport
import Testing

@Suite(.enabled(if: geteuid() == 0, "sandboxes need root"), .timeLimit(.minutes(2))) struct AttachTests {
    @Test func aSubmittedJobIsFollowedToItsCode() async throws {
        try await PoolProcesses.with(worker: true) { pool in
            let script = """
                trap 'echo caught; exit 7' INT
                echo one; echo two >&2; echo three; echo ready; sleep 60 & wait
                """
            let submitted = try pool.run(["submit", "--block-network", "--name", "long", "--", "sh", "-c", script])
            #expect(submitted.status == 0)
            let attached = try pool.start(["attach", "long"])
            try await eventually("its output is here") { attached.stdoutBytes == "one\nthree\nready\n".utf8.count }
            attached.signal(SIGINT)
            let end = try await attached.end()
            #expect(end.status == 7)
            #expect(end.stdout == "one\nthree\nready\ncaught\n")
            #expect(end.stderr == "two\n")

            // One that has ended is told in the same way.
            let again = try pool.run(["attach", "--tail", "1", "long"])
            #expect(again.status == 7)
            #expect(again.stdout == "caught\n")
            #expect(again.stderr == "two\n")
        }
    }

    /// Somebody who only watches a detached job leaves it as it is.
    @Test func leavingLetsADetachedJobGoOn() async throws {
        try await PoolProcesses.with(worker: true) { pool in
            let script = "echo up; read line < /tmp/fifo; exit 3"
            _ = try pool.run([
                "submit", "--block-network", "--name", "held", "--", "sh", "-c", "mkfifo /tmp/fifo; \(script)",
            ])
            let attached = try pool.start(["attach", "held"])
            try await eventually("it runs") { attached.stdoutBytes == 3 }
            attached.signal(SIGKILL)
            _ = try await attached.end()
            #expect(try pool.jobs().first?.state == .running)
            #expect(try pool.run(["cancel", "held"]).status == 0)
            #expect(try pool.run(["attach", "held"]).status == 137)
        }
    }

    @Test func anUnknownJobIsOneLine() async throws {
        try await PoolProcesses.with { pool in
            let refused = try pool.run(["attach", "nobody"])
            #expect(refused.status == 125)
            #expect(refused.stdout.isEmpty)
            #expect(refused.stderr.hasPrefix("sandpool: job 'nobody': "))
            #expect(refused.stderr.filter { $0 == "\n" }.count == 1)
        }
    }
}
