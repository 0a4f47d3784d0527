import Glibc
import SandpoolModel
import SandpoolTestSupport
import Testing

/// A `run --key` whose process was killed is typed again.
@Suite(.enabled(if: geteuid() == 0, "sandboxes need root"), .serialized, .timeLimit(.minutes(3)))
struct TakenUpRunTests {
    /// Numbered lines, some at a time, until it is interrupted.
    private static let counting = """
        import signal, sys, time
        interrupts = []
        signal.signal(signal.SIGINT, lambda *_: interrupts.append(1))
        count = 0
        while not interrupts:
            sys.stdout.write("".join("%d\\n" % number for number in range(count, count + 3000)))
            sys.stdout.flush()
            count += 3000
            time.sleep(0.1)
        sys.exit(7)
        """

    @Test func itGoesOnWithTheSameJobAtTheLastByteShown() async throws {
        try await PoolProcesses.with(worker: true) { pool in
            let words = ["run", "--key", "k", "--block-network", "--", "python3", "-c", Self.counting]
            var shown = ""
            for _ in 0..<3 {
                let run = try pool.start(words)
                try await eventually("it shows output") { run.stdoutBytes > 4 * Self.chunk }
                run.signal(SIGKILL)
                _ = try await run.end()
                shown = try joined(shown, run.stdout)
            }
            let last = try pool.start(words)
            try await eventually("it shows output") { last.stdoutBytes > 0 }
            last.signal(SIGINT)
            let result = try await last.end()
            #expect(result.status == 7)
            #expect(result.stderr.hasPrefix("sandpool: going on with job sb-"), "\(result.stderr)")
            shown = try joined(shown, result.stdout)
            let lines = shown.utf8.count { $0 == UInt8(ascii: "\n") }
            #expect(shown == (0..<lines).map { "\($0)\n" }.joined())
            #expect(try pool.jobs().map(\.attempts.count) == [1])
            // It was shown to its end: typed once more, it is shown whole.
            let again = try pool.run(words)
            #expect(again.status == 7)
            #expect(again.stdout == shown)
            #expect(again.stderr.isEmpty)
        }
    }

    /// What both showed together. A process that is killed between writing and noting it leaves what it wrote last to
    /// be shown again, and nothing more.
    private func joined(_ shown: String, _ next: String) throws -> String {
        let bytes = Array(next.utf8)
        var whole: [UInt8] = []
        var number = 0
        while whole.count < shown.utf8.count + bytes.count {
            whole += "\(number)\n".utf8
            number += 1
        }
        let end = shown.utf8.count
        let begin = (max(0, end - Self.chunk)...end).reversed().first {
            whole[$0...].starts(with: bytes)
        }
        return String(decoding: Array(shown.utf8.prefix(try #require(begin))) + bytes, as: UTF8.self)
    }

    /// The most that is written at once: what a frame carries.
    private static let chunk = 128 << 10

    @Test func anAttemptThatTookThePlaceIsShownFromItsBegin() async throws {
        try await PoolProcesses.with(worker: true) { pool in
            // Each attempt waits for its word, so that the first one is the only one that the first process showed.
            let script = "mkfifo /tmp/end; echo out; echo err >&2; read word < /tmp/end; exit 3"
            let words = ["run", "--key", "k", "--name", "box", "--retries", "1", "--block-network", "--", "sh", "-c"]
            let run = try pool.start(words + [script])
            try await eventually("it shows output") { run.stdoutBytes > 0 && run.stderr.contains("err") }
            run.signal(SIGKILL)
            _ = try await run.end()
            _ = try pool.run(["exec", "box", "--", "sh", "-c", "echo > /tmp/end"])
            try await eventually("it is tried again") {
                try pool.jobs().first.map { $0.attempts.count == 2 && $0.state == .running } ?? false
            }
            let again = try pool.start(words + [script])
            try await eventually("it shows output") { again.stdoutBytes > 0 && again.stderr.contains("err") }
            _ = try pool.run(["exec", "box", "--", "sh", "-c", "echo > /tmp/end"])
            let result = try await again.end()
            #expect(result.status == 3)
            #expect(result.stdout == "out\n")
            #expect(result.stderr.hasSuffix("\nerr\n"), "\(result.stderr)")
        }
    }

    /// Two at once: the second one is shown everything, and neither disturbs the other.
    @Test func aSecondOneAtTheSameTimeIsShownEverything() async throws {
        try await PoolProcesses.with(worker: true) { pool in
            let words = ["run", "--key", "k", "--block-network", "--", "sh", "-c", "echo a; sleep 2; echo b"]
            let first = try pool.start(words)
            try await eventually("it shows output") { first.stdoutBytes > 0 }
            #expect(try pool.run(words).stdout == "a\nb\n")
            let result = try await first.end()
            #expect(result.status == 0)
            #expect(result.stdout == "a\nb\n")
            #expect(try pool.jobs().count == 1)
        }
    }

    @Test func aNoteThatCannotBeKeptIsSaid() async throws {
        try await PoolProcesses.with(worker: true) { pool in
            let result = try pool.run(
                ["run", "--key", "k", "--block-network", "--", "echo", "a"],
                environment: ["SANDPOOL_DATA_DIR": "/proc"])
            #expect(result.status == 0)
            #expect(result.stdout == "a\n")
            #expect(result.stderr.contains("another one shows all output again"), "\(result.stderr)")
        }
    }
}
