import FoundationEssentials
import Glibc
import LinuxSystem
import SandpoolTestSupport
import Testing

/// A command goes on while its coordinator is away, and so does the `run` that follows it.
@Suite(.enabled(if: geteuid() == 0, "sandboxes need root"), .serialized, .timeLimit(.minutes(4)))
struct CoordinatorRestartTests {
    /// Counts on until it is interrupted, and ends after a whole number of steps.
    private static let counting = """
        import signal, sys, time
        interrupts = []
        signal.signal(signal.SIGINT, lambda *_: interrupts.append(1))
        count = 0
        while not interrupts:
            sys.stdout.write("".join("%d\\n" % number for number in range(count, count + 3000)))
            sys.stdout.flush()
            count += 3000
            time.sleep(0.05)
        print("end", file=sys.stderr)
        sys.exit(7)
        """

    /// The form without an argument parser, the ordinary one, and the one that tells what happens.
    @Test(
        arguments: [
            ([], SIGTERM), ([], SIGKILL), (["--cpus", "1"], SIGTERM), (["-v"], SIGKILL),
        ] as [([String], Int32)])
    func aRunOutlivesItsCoordinator(_ options: [String], _ signal: Int32) async throws {
        try await PoolProcesses.with(worker: true) { pool in
            let run = try pool.start(["run", "--block-network"] + options + ["--", "python3", "-c", Self.counting])
            try await eventually("there is output") { run.stdoutBytes > 0 }
            try await pool.endCoordinator(by: signal)
            #expect(run.isRunning)
            try await pool.startCoordinator()
            let before = run.stdoutBytes
            try await eventually("output goes on") { run.stdoutBytes > before }
            run.signal(SIGINT)
            let result = try await run.end()
            #expect(result.status == 7, "\(result.stderr)")
            let count = result.stdout.utf8.count { $0 == UInt8(ascii: "\n") }
            #expect(count > 0 && count % 3_000 == 0)
            #expect(result.stdout == (0..<count).map { "\($0)\n" }.joined())
            if options == ["-v"] {
                #expect(result.stderr.contains("; reconnecting\n"), "\(result.stderr)")
            } else {
                #expect(result.stderr == "end\n")
            }
            let jobs = try pool.jobs()
            #expect(jobs.map(\.attempts.count) == [1])
        }
    }

    /// More than fits into every window on the way, over an end in order and a crash.
    @Test func standardInputGoesOnWhereItWas() async throws {
        try await PoolProcesses.with(worker: true) { pool in
            let text = (0..<800_000).map { "\($0)\n" }.joined()
            let file = "\(pool.directory.path)/input"
            try Data(text.utf8).write(to: URL(filePath: file))
            let script = "head -c 1500000; sleep 0.5; head -c 1500000; sleep 0.5; cat; exit 9"
            let run = try pool.start(
                ["run", "--block-network", "-i", "--", "sh", "-c", script],
                stdin: try FileDescriptor.open(file, O_RDONLY))
            for (round, signal) in [SIGTERM, SIGKILL].enumerated() {
                try await eventually("part of it came back") { run.stdoutBytes >= (round + 1) * 1_500_000 }
                try await pool.endCoordinator(by: signal)
                try await pool.startCoordinator()
            }
            let result = try await run.end()
            #expect(result.status == 9, "\(result.stderr)")
            #expect(result.stdout == text)
        }
    }

    /// A worker that is killed says nothing of what it gave the command; the next one finds it out.
    @Test func standardInputGoesOnUnderAnotherWorker() async throws {
        try await PoolProcesses.with(worker: true) { pool in
            let text = (0..<800_000).map { "\($0)\n" }.joined()
            let file = "\(pool.directory.path)/input"
            try Data(text.utf8).write(to: URL(filePath: file))
            let script = "for i in 1 2 3; do head -c 1000000; sleep 0.5; done; cat; exit 9"
            let run = try pool.start(
                ["run", "--block-network", "-i", "--", "sh", "-c", script],
                stdin: try FileDescriptor.open(file, O_RDONLY))
            for round in 1...3 {
                try await eventually("part of it came back") { run.stdoutBytes >= round * 1_000_000 }
                try await pool.killWorker()
                try await pool.startWorker()
            }
            let result = try await run.end()
            #expect(result.status == 9, "\(result.stderr)")
            #expect(result.stdout == text)
            #expect(try pool.jobs().map(\.attempts.count) == [1])
        }
    }
}
