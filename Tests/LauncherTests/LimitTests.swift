import LinuxSystem
import SandpoolSandbox
import Testing

/// Limits and deadlines are enforced on the real kernel, and the evidence says which.
@Suite struct LimitTests {
    @Test(arguments: ["0", "65534"]) func theTimeoutTerms(user: String) throws {
        try withLauncher { launcher in
            let plan = SandboxPlan.test(
                "/bin/sh", "-c", "trap 'echo term; exit 7' TERM; sleep 1000 & wait", user: user, timeoutMs: 100)
            let finished = try launcher.run(plan)
            #expect(finished.report.reason == .timeout)
            #expect(finished.report.end == .exited(code: 7))
            #expect(finished.text == "term\n")
            #expect(finished.report.wallMs >= 100)
        }
    }

    @Test func aCommandThatIgnoresTermIsKilledWhole() throws {
        try withLauncher { launcher in
            let script =
                "trap '' TERM; (setsid sh -c \"trap '' TERM; sleep 1000\" &); echo up; while :; do sleep 1000; done"
            let finished = try launcher.run(.test("/bin/sh", "-c", script, timeoutMs: 100, graceMs: 100))
            #expect(finished.report.reason == .timeout)
            #expect(finished.report.end == .killed || finished.report.end == .signaled(signal: 9))
            #expect(finished.text == "up\n")
        }
    }

    @Test func silenceIsAnIdleTimeoutAndOutputIsNot() throws {
        try withLauncher { launcher in
            let quiet = try launcher.run(.test("/bin/sleep", "1000", idleMs: 200))
            #expect(quiet.report.reason == .idleTimeout)
            let busy = SandboxPlan.test(
                "/bin/sh", "-c", "for i in 1 2 3 4 5 6 7 8; do echo .; sleep 0.1; done", idleMs: 600)
            try #expect(launcher.run(busy).report.reason == .none)
        }
    }

    @Test(arguments: [UInt64(0), 50]) func cancelEndsIt(graceMs: UInt64) throws {
        try withLauncher { launcher in
            let started = try launcher.start(.shell("trap '' TERM; echo up; while :; do sleep 1000; done"))
            try launcher.waitForOutput("test", atLeast: 3)
            try launcher.send(.cancel(id: "test", graceMs: graceMs))
            let finished = try launcher.finish("test", started)
            #expect(finished.report.reason == .cancelled)
            #expect(finished.report.end == .killed || finished.report.end == .signaled(signal: 9))
        }
    }

    @Test func aSignalReachesTheCommand() throws {
        try withLauncher { launcher in
            let started = try launcher.start(.shell("trap 'exit 9' INT; echo up; while :; do sleep 0.01; done"))
            try launcher.waitForOutput("test", atLeast: 3)
            try launcher.send(.signal(id: "test", signal: 2))
            try #expect(launcher.finish("test", started).report.end == .exited(code: 9))
        }
    }

    @Test func theCommandCannotSignalPid1() throws {
        try withLauncher { launcher in
            let script = "for s in 1 2 9 10 12 15 19; do kill -$s 1; done; sleep 0.1; exit 4"
            try #expect(launcher.run(.shell(script)).report.end == .exited(code: 4))
        }
    }

    @Test func tooMuchMemoryIsAnOOMKill() throws {
        try withLauncher { launcher in
            let script = "import sys; b = bytearray(400 << 20); print(len(b))"
            let report = try launcher.run(.test("/usr/bin/python3", "-c", script, memory: 100 << 20, disk: 1 << 20))
                .report
            #expect(report.oomKills > 0)
            #expect(report.end != .exited(code: 0))
            #expect(report.peakMemoryBytes > 50 << 20)
            // In a child, the main process going on: the whole sandbox ends.
            let child = SandboxPlan.test(
                "/bin/sh", "-c", "python3 -c '\(script)'; sleep 1000", memory: 100 << 20, disk: 1 << 20)
            let second = try launcher.run(child).report
            #expect(second.oomKills > 0)
            #expect(second.reason == .none)
        }
    }

    @Test func processesAreLimited() throws {
        try withLauncher { launcher in
            let script = """
                import os
                n = 0
                try:
                    while n < 100:
                        if os.fork() == 0:
                            import signal; signal.pause()
                        n += 1
                except OSError as e: print(n, e.errno)
                """
            // pid 1 and python itself are two of the 20.
            try #expect(launcher.run(.test("/usr/bin/python3", "-c", script, pids: 20)).text == "18 11\n")
        }
    }

    @Test(arguments: ["yes", "yes >&2", "(yes &); sleep 1000"]) func outputOverItsLimitEndsTheCommand(
        script: String
    ) throws {
        try withLauncher { launcher in
            let finished = try launcher.run(.test("/bin/sh", "-c", script, output: 1_000, onOutputLimit: .end))
            #expect(finished.report.reason == .outputLimit && finished.report.end != .exited(code: 0))
            #expect(finished.report.outputTruncated)
            let text = finished.text + finished.errorText
            #expect(text == String(repeating: "y\n", count: 500) + "\n[sandpool: output truncated at 1000 bytes]\n")
        }
    }

    /// One byte over is over, though the command has ended before anybody looked; the limit itself is not.
    @Test func theEndOnOutputIsExact() throws {
        try withLauncher { launcher in
            func run(_ count: Int) throws -> ExitReport {
                let command = "head -c \(count) /dev/zero"
                return try launcher.run(.test("/bin/sh", "-c", command, output: 1_000, onOutputLimit: .end)).report
            }
            let over = try run(1_001)
            #expect(over.reason == .outputLimit && over.outputTruncated)
            let exact = try run(1_000)
            #expect(exact.reason == .none && exact.end == .exited(code: 0) && !exact.outputTruncated)
        }
    }

    /// Two sandboxes want the same processor whole, and one asked for twice as much.
    @Test func neighboursShareAProcessorByWhatTheyAskedFor() throws {
        try withLauncher { launcher in
            let script = """
                import os, time
                os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
                print("up", flush=True)
                input()
                while time.process_time() < 0.4: pass
                print("done", flush=True)
                while True: pass
                """
            var small = SandboxPlan.test("/usr/bin/python3", "-c", script, id: "small", stdin: .pipe)
            small.limits.cpuMillis = 1_000
            var large = SandboxPlan.test("/usr/bin/python3", "-c", script, id: "large", stdin: .pipe)
            large.limits.cpuMillis = 3_000
            let started = [try launcher.start(small), try launcher.start(large)]
            for plan in [small, large] { try launcher.waitForOutput(plan.id, atLeast: 3) }
            for sandbox in started { try #require(sandbox.input).writeAll(Array("\n".utf8)) }
            try launcher.waitForOutput("small", atLeast: 8)
            for plan in [large, small] { try launcher.send(.cancel(id: plan.id, graceMs: 0)) }
            let (less, more) = (try launcher.report(of: "small").cpuMs, try launcher.report(of: "large").cpuMs)
            #expect(Double(more) > 1.5 * Double(less), "\(more) ms for three processors, \(less) ms for one")
        }
    }

    @Test func theDiskIsLimitedEverywhere() throws {
        try withLauncher { launcher in
            for path in ["/x", "/tmp/x", "/dev/shm/x", "/usr/local/x", "/root/x"] {
                let plan = SandboxPlan.test("/bin/sh", "-c", "head -c 20000000 /dev/zero > \(path)", disk: 8 << 20)
                let finished = try launcher.run(plan)
                #expect(finished.report.end != .exited(code: 0), "\(path)")
                #expect(finished.report.diskFull, "\(path)")
                #expect(finished.report.diskBytes >= 8 << 20)
                #expect(finished.errorText.contains("No space left"), "\(path): \(finished.errorText)")
            }
        }
    }

    @Test func theEvidenceCounts() throws {
        try withLauncher { launcher in
            let script = "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; head -c 1000000 /dev/zero > /tmp/f"
            let report = try launcher.run(.shell(script)).report
            #expect(report.cpuMs > 0)
            #expect(report.diskBytes >= 1_000_000)
            #expect(report.inodes > 0)
            #expect(report.setupMicros > 0)
            #expect(!report.diskFull)
        }
    }
}
