import FoundationEssentials
import Glibc
import LinuxSystem
import SandpoolModel
import SandpoolTestSupport
import Testing

/// `sandpool exec` as the process that a user starts, in sandboxes of real jobs.
@Suite(.enabled(if: geteuid() == 0, "sandboxes need root"), .serialized, .timeLimit(.minutes(3))) struct ExecTests {
    /// Runs `body` with a job named `box` that goes on until it is told to end.
    private static func withBox(
        _ options: [String] = [], _ body: (PoolProcesses) async throws -> Void
    ) async throws {
        try await PoolProcesses.with(worker: true) { pool in
            let script = "mkfifo /tmp/end; read code < /tmp/end; exit $code"
            try pool.check(
                ["submit", "--block-network", "--name", "box"] + options + ["--", "sh", "-c", script])
            try await isRunning(pool)
            try await body(pool)
        }
    }

    private static func isRunning(_ pool: PoolProcesses) async throws {
        try await eventually("the job runs") { try pool.jobs().first { $0.name == "box" }?.state == .running }
    }

    /// Waits until the job's own command waits to be told. The sandbox may be gone before the one that tells it ends.
    private static func end(_ pool: PoolProcesses, code: Int) throws {
        let script = "until [ -p /tmp/end ]; do :; done; echo \(code) > /tmp/end"
        let told = try pool.run(["exec", "box", "--", "sh", "-c", script])
        #expect([0, 137].contains(told.status), "\(told)")
    }

    @Test func theCodeIsTheCommandsAndTheStreamsStayApart() async throws {
        try await Self.withBox { pool in
            for (script, code) in [
                ("exit 0", 0), ("exit 3", 3), ("exit 255", 255), ("kill -9 $$", 137), ("kill -TERM $$", 143),
            ] as [(String, Int32)] {
                #expect(try pool.run(["exec", "box", "--", "sh", "-c", script]).status == code, "\(script)")
            }
            let both = try pool.run(["exec", "box", "--", "sh", "-c", "echo out; echo err >&2; printf tail; exit 4"])
            #expect(both.status == 4 && both.stdout == "out\ntail" && both.stderr == "err\n")
            for (command, code, line) in [
                ("no-such-program", 127, "no-such-program: command not found"),
                ("/etc/passwd", 126, "/etc/passwd: cannot be executed: permission denied"),
            ] as [(String, Int32, String)] {
                let result = try pool.run(["exec", "@last", "--", command])
                #expect(result.status == code && result.stderr == "sandpool: \(line)\n", "\(result)")
            }
            // What the command finds is the job's sandbox, and nothing of it is the job's output.
            let job = try #require(try pool.jobs().first)
            #expect(try pool.check(["exec", job.id.short, "--", "printenv", "SANDPOOL_JOB_ID"]) == "\(job.id)\n")
            try pool.check(["exec", "box", "--", "sh", "-c", "echo kept > /tmp/file"])
            #expect(try pool.check(["exec", "box", "--", "cat", "/tmp/file"]) == "kept\n")
            #expect(try pool.check(["logs", "box"]).isEmpty)
            try Self.end(pool, code: 6)
            #expect(try pool.run(["wait", "box"]).stdout.contains(" 6"))
        }
    }

    @Test func itHasTheJobsSurroundingsUnlessOthersAreGiven() async throws {
        try await Self.withBox(["-e", "A=job", "-e", "B=job", "-w", "/tmp", "-u", "1000"]) { pool in
            let script = "echo $A $B $(pwd) $(id -u)"
            #expect(try pool.check(["exec", "box", "--", "sh", "-c", script]) == "job job /tmp 1000\n")
            let own = ["-eB=own", "-w/usr", "-u0"]
            #expect(try pool.check(["exec"] + own + ["box", "--", "sh", "-c", script]) == "job own /usr 0\n")
            let nobody = try pool.run(["exec", "-u", "nobody-here", "box", "--", "true"])
            #expect(nobody.status == 125 && nobody.lines.count == 1 && nobody.stderr.contains("nobody-here"))
        }
    }

    @Test func standardInputArrivesWholeAndIsEmptyUnlessAskedFor() async throws {
        try await Self.withBox { pool in
            let path = "\(pool.directory.path)/input"
            let bytes = (0..<(10 << 20)).map { UInt8(truncatingIfNeeded: $0 ^ ($0 >> 9)) }
            try Data(bytes).write(to: URL(filePath: path))
            let input = try FileDescriptor.open(path, O_RDONLY)
            let sum = try await pool.start(["exec", "-i", "box", "--", "sha256sum"], stdin: input).end()
            #expect(sum.status == 0)
            let digest = try Program.digest(of: path)
            #expect(sum.stdout == "\(digest)  -\n")
            let unread = try FileDescriptor.open(path, O_RDONLY)
            let none = try await pool.start(["exec", "box", "--", "wc", "-c"], stdin: unread).end()
            #expect(none.stdout == "0\n")
            // A command that reads nothing of it does not wait for it.
            let left = try FileDescriptor.open(path, O_RDONLY)
            #expect(try await pool.start(["exec", "-i", "box", "--", "true"], stdin: left).end().status == 0)
        }
    }

    /// A command that reads to the end does not wait for what cannot come.
    @Test func aStandardInputThatCannotBeReadEndsAndIsTold() async throws {
        try await Self.withBox { pool in
            for words in [["exec", "-i", "box", "--", "cat"], ["run", "-i", "--block-network", "--", "cat"]] {
                let folder = try FileDescriptor.open("/", O_RDONLY)
                let read = try await pool.start(words, stdin: folder).end()
                #expect(read.status == 0 && read.stdout.isEmpty && read.lines.count == 1, "\(read)")
                #expect(read.stderr.contains("cannot read stdin: Is a directory"), "\(read)")
                let line = "exec \(Program.path) \(words.joined(separator: " ")) <&-"
                let closed = try await RunningProgram(["/bin/sh", "-c", line], environment: pool.environment).end()
                #expect(closed.status == 0 && closed.stdout.isEmpty && closed.lines.count == 1, "\(closed)")
                #expect(closed.stderr.contains("cannot read stdin: Bad file descriptor"), "\(closed)")
            }
        }
    }

    @Test func anInterruptIsTheCommandsAndASecondOneEndsIt() async throws {
        try await Self.withBox(["--grace", "1"]) { pool in
            let caught = "trap 'echo caught; exit 7' INT; echo ready; sleep 60 & wait"
            let first = try pool.start(["exec", "box", "--", "sh", "-c", caught])
            try await eventually("it is ready") { first.stdoutBytes == 6 }
            first.signal(SIGINT)
            let end = try await first.end()
            #expect(end.status == 7 && end.stdout == "ready\ncaught\n")
            let stubborn = "trap 'echo again' INT; echo ready; while :; do sleep 60 & wait; done"
            let second = try pool.start(["exec", "box", "--", "sh", "-c", stubborn])
            try await eventually("it is ready") { second.stdoutBytes == 6 }
            second.signal(SIGINT)
            try await eventually("it goes on") { second.stdoutBytes == 12 }
            second.signal(SIGINT)
            #expect(try await second.end().status == 137)
            let third = try pool.start(["exec", "box", "--", "sh", "-c", stubborn])
            try await eventually("it is ready") { third.stdoutBytes == 6 }
            third.signal(SIGTERM)
            #expect(try await third.end().status == 137, "a termination ends it at once")
            #expect(try pool.jobs().first?.state == .running, "the job goes on")
        }
    }

    @Test func itsTimeIsItsOwn() async throws {
        try await Self.withBox(["--grace", "1"]) { pool in
            let late = try pool.run(["exec", "--timeout", "0.2", "box", "--", "sleep", "60"])
            #expect(late.status == 124)
            #expect(try pool.jobs().first?.state == .running)
        }
    }

    // MARK: Ends from outside

    private static let marked = "echo up; exec -a marked sleep 1000"

    /// How many processes of the sandbox have a name.
    private static func count(_ name: String, _ pool: PoolProcesses) throws -> Int {
        let script = "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n' | grep -c '^\(name)$'"
        return Int(try pool.run(["exec", "box", "--", "sh", "-c", script]).stdout.dropLast()) ?? -1
    }

    @Test func aClientThatVanishesLeavesNothingRunning() async throws {
        try await Self.withBox(["--grace", "1"]) { pool in
            let gone = try pool.start(["exec", "box", "--", "bash", "-c", Self.marked])
            try await eventually("it runs") { gone.stdoutBytes == 3 }
            #expect(try Self.count("marked", pool) == 1)
            gone.signal(SIGKILL)
            _ = try await gone.end()
            try await eventually("its command is gone") { try Self.count("marked", pool) == 0 }
            #expect(try pool.jobs().first?.state == .running)
        }
    }

    @Test func aReaderThatIsGoneEndsIt() async throws {
        try await Self.withBox(["--grace", "1"]) { pool in
            let line = "\(Program.path) exec box -- bash -c 'exec -a marked yes' | head -n 1"
            let piped = try RunningProgram(["/bin/sh", "-c", line], environment: pool.environment)
            #expect(try await piped.end().stdout == "y\n")
            try await eventually("its command is gone") { try Self.count("marked", pool) == 0 }
        }
    }

    @Test func aReaderThatIsGoneDoesNotLeaveItWriting() async throws {
        try await Self.withBox(["--grace", "1"]) { pool in
            let line = "yes | \(Program.path) exec -i box -- bash -c 'exec -a marked cat' | head -n 1"
            let piped = try RunningProgram(["/bin/sh", "-c", line], environment: pool.environment)
            #expect(try await piped.end().stdout == "y\n")
            try await eventually("its command is gone") { try Self.count("marked", pool) == 0 }
        }
    }

    @Test func aJobThatEndsTakesItAlong() async throws {
        try await Self.withBox { pool in
            let last = try pool.start(["exec", "box", "--", "sh", "-c", "echo before; sleep 1000"])
            try await eventually("it runs") { last.stdoutBytes == 7 }
            try Self.end(pool, code: 0)
            let end = try await last.end()
            #expect(end.status == 137 && end.stdout == "before\n", "\(end)")
        }
    }

    @Test func aWorkerThatIsLostIsSaid() async throws {
        try await Self.withBox { pool in
            let lost = try pool.start(["exec", "box", "--", "sh", "-c", "echo before; sleep 1000"])
            try await eventually("it runs") { lost.stdoutBytes == 7 }
            try await pool.killWorker()
            let end = try await lost.end()
            #expect(end.status == 125 && end.stdout == "before\n" && end.lines.count == 1, "\(end)")
            #expect(end.stderr.contains("its worker was lost or restarted; the job goes on"), "\(end.stderr)")
            try await pool.startWorker()
            try await Self.isRunning(pool)
            #expect(try Self.count("sleep", pool) == 0, "the launcher ended it with its worker's connection")
            #expect(try pool.check(["exec", "box", "--", "echo", "again"]) == "again\n")
        }
    }

    @Test(arguments: [SIGTERM, SIGKILL]) func aCoordinatorThatIsGoneEndsIt(by signal: Int32) async throws {
        try await Self.withBox(["--grace", "1"]) { pool in
            let lost = try pool.start(["exec", "box", "--", "bash", "-c", Self.marked])
            try await eventually("it runs") { lost.stdoutBytes == 3 }
            try await pool.endCoordinator(by: signal)
            let end = try await lost.end()
            #expect(end.status == 125 && end.stdout == "up\n" && end.lines.count == 1, "\(end)")
            try await pool.startCoordinator()
            try await eventually("its command is gone") { try Self.count("marked", pool) == 0 }
            #expect(try pool.jobs().first?.state == .running, "the job goes on")
        }
    }

    // MARK: Refusals

    @Test func whatCannotRunIsOneLine() async throws {
        try await PoolProcesses.with { pool in
            try pool.check(["submit", "--name", "waits", "--", "true"])
            let token = try pool.check(["token", "create", "--role", "read", "r"])
            for (reference, extra, expected) in [
                ("waits", [:], "is queued: its sandbox does not run yet; try again when it does"),
                ("nobody", [:], "job 'nobody': there is nothing of that name"),
                ("waits", ["SANDPOOL_TOKEN": String(token.dropLast())], "a token with the role read may not do this"),
                ("waits", ["SANDPOOL_TOKEN": "nonsense"], "does not know this token"),
            ] as [(String, [String: String], String)] {
                let refused = try pool.run(["exec", reference, "--", "true"], environment: extra)
                #expect(refused.status == 125 && refused.stdout.isEmpty && refused.lines.count == 1)
                #expect(refused.stderr.contains(expected), "\(refused.stderr)")
            }
            try pool.check(["cancel", "waits"])
            let late = try pool.run(["exec", "waits", "--", "true"])
            #expect(late.status == 125 && late.stderr.contains("is cancelled: its sandbox is gone"), "\(late.stderr)")
        }
    }

    @Test func theLocalPoolHasItToo() async throws {
        let directory = try TemporaryDirectory()
        let environment = ["SANDPOOL_DATA_DIR": directory.path]
        let box = try RunningProgram(
            [Program.path, "run", "--local", "--block-network", "--name", "box", "--"]
                + ["sh", "-c", "echo up; sleep 600"], environment: environment)
        try await eventually("it runs") { box.stdoutBytes == 3 }
        let inside = try RunningProgram(
            [Program.path, "exec", "--local", "box", "--", "sh", "-c", "echo inside; exit 5"],
            environment: environment)
        let end = try await inside.end()
        #expect(end.status == 5 && end.stdout == "inside\n", "\(end)")
        box.signal(SIGTERM)
        _ = try await box.end()
        LauncherTraces.end("\(directory.path)/local/worker/launcher")
    }
}
