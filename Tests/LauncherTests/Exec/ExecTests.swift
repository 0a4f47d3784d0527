import LinuxSystem
import SandpoolSandbox
import Testing

/// A further command in a sandbox that runs: it gets what its plan says and is reported as exactly as the main one.
@Suite struct ExecTests {
    @Test func aCommandRunsBesideTheMainOne() throws {
        try withWaitingSandbox { launcher in
            let done = try launcher.exec(.shell("echo out; echo err >&2; echo x > /tmp/made; exit 7"))
            #expect(done.text == "out\n" && done.errorText == "err\n")
            #expect(done.report.end == .exited(code: 7) && done.report.reason == .none)
            #expect(done.report.setupMicros > 0 && done.report.oomKills == 0)
            // The next one, by the same name now that it is free, sees what the first one did.
            try #expect(launcher.exec(.test("/bin/cat", "/tmp/made")).text == "x\n")
        }
    }

    @Test func endsAreExact() throws {
        try withWaitingSandbox { launcher in
            for code: UInt8 in [0, 1, 42, 125, 255] {
                try #expect(launcher.exec(.shell("exit \(code)")).report.end == .exited(code: code))
            }
            for signal: UInt8 in [1, 6, 9, 11, 15, 34, 64] {
                let done = try launcher.exec(.test("/bin/bash", "-c", "kill -\(signal) $$"))
                #expect(done.report.end == .signaled(signal: signal))
            }
        }
    }

    @Test func whatCannotBeExecutedIsToldApart() throws {
        try withWaitingSandbox { launcher in
            let missing = try launcher.execFailure(of: .test("no-such-program"))
            #expect(missing.kind == .commandNotFound && missing.stage == "exec")
            let text = try launcher.execFailure(of: .test("/etc/passwd"))
            #expect(text.kind == .commandNotExecutable && text.stage == "exec")
            try #expect(launcher.exec(.test("true")).report.end == .exited(code: 0))
        }
    }

    @Test func argumentsAndEnvironmentAreThePlans() throws {
        try withWaitingSandbox { launcher in
            var plan = ExecPlan.test("/usr/bin/printf", "%s\\0")
            let words = ["", " ", "'\"$`\\", "ä€😀", "line\nline"]
            plan.arguments += words
            try #expect(launcher.exec(plan).output == words.flatMap { Array($0.utf8) + [0] })
            let lines = try launcher.exec(.test("/usr/bin/env", environment: ["A=1", "EMPTY="])).text
                .split(separator: "\n").map(String.init)
            let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
            #expect(Set(lines) == [path, "A=1", "EMPTY=", "HOME=/root"])
        }
    }

    @Test func userAndDirectoryAreThePlans() throws {
        try withWaitingSandbox { launcher in
            let script = "id -u; id -g; umask; pwd; touch here && echo ok"
            let plan = ExecPlan.test("/bin/sh", "-c", script, workingDirectory: "/a/b", user: "1000")
            try #expect(launcher.exec(plan).text == "1000\n0\n0022\n/a/b\nok\n")
            try #expect(launcher.exec(.test("/usr/bin/id", "-un", user: "daemon")).text == "daemon\n")
            for user in ["no-such-user", "65536", "-1", ""] {
                let failure = try launcher.execFailure(of: .test("/bin/true", user: user))
                #expect(failure.kind == .spec && failure.stage == "user", "\(user): \(failure)")
            }
            for path in ["/etc/passwd", "/proc/self/fd/3", "/proc/1/root/etc"] {
                let failure = try launcher.execFailure(of: .test("/bin/true", workingDirectory: path))
                #expect(failure.kind == .spec && failure.stage == "workdir", "\(path): \(failure)")
            }
        }
    }

    @Test func inputReachesTheCommandAndEnds() throws {
        try withWaitingSandbox { launcher in
            let plan = ExecPlan.test("/bin/cat", stdin: .pipe)
            var started = try launcher.startExec(plan)
            let bytes = (0..<50_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            try #require(started.input).writeAll(bytes)
            started.input = nil
            try launcher.send(.closeInput(id: plan.id))
            let done = try launcher.finish(plan.id, started)
            #expect(done.output == bytes && done.report.end == .exited(code: 0))
            try #expect(launcher.exec(.test("/usr/bin/wc", "-c")).text == "0\n")
        }
    }

    @Test func outputBeyondTheLimitIsDroppedWithAMark() throws {
        try withWaitingSandbox { launcher in
            let done = try launcher.exec(.test("/bin/sh", "-c", "yes | head -c 5000000; exit 5", output: 1_000))
            let mark = "\n[sandpool: output truncated at 1000 bytes]\n"
            #expect(done.text == String(repeating: "y\n", count: 500) + mark)
            #expect(done.report.outputTruncated && done.report.end == .exited(code: 5))
        }
    }

    @Test func aSignalReachesTheCommandAlone() throws {
        try withWaitingSandbox { launcher in
            let script = "trap 'exit 9' INT; echo up; while :; do sleep 0.01; done"
            let started = try launcher.beginExec(.shell(script), saying: 3)
            for signal: UInt8 in [0, 65, 255] { try launcher.send(.signal(id: "exec", signal: signal)) }
            try launcher.send(.signal(id: "exec", signal: 2))
            try #expect(launcher.finish("exec", started).report.end == .exited(code: 9))
        }
    }

    /// It waits for the command, as one that a process blocks; what comes twice is there once.
    @Test func aSignalBeforeTheStartReachesTheCommand() throws {
        try withWaitingSandbox { launcher in
            for _ in 0..<20 {
                try launcher.requestExec(.test("/bin/sleep", "1000"))
                for signal: UInt8 in [15, 15] { try launcher.send(.signal(id: "exec", signal: signal)) }
                guard case .started(let started) = try launcher.outcome(of: "exec") else {
                    throw TestFailure("it did not start")
                }
                try #expect(launcher.finish("exec", started).report.end == .signaled(signal: 15))
            }
        }
    }

    @Test func oneThatIsStoppedAndContinuedBeforeItsStartRuns() throws {
        try withWaitingSandbox { launcher in
            for _ in 0..<20 {
                try launcher.requestExec(.test("/bin/true"))
                for signal: UInt8 in [19, 18] { try launcher.send(.signal(id: "exec", signal: signal)) }
                guard case .started(let started) = try launcher.outcome(of: "exec") else {
                    throw TestFailure("it did not start")
                }
                try #expect(launcher.finish("exec", started).report.end == .exited(code: 0))
            }
        }
    }

    @Test func manyRunAtOnceAndOneMoreIsRefused() throws {
        try withWaitingSandbox { launcher in
            let plans = (0..<16).map { ExecPlan.test("/bin/cat", id: "exec-\($0)", stdin: .pipe) }
            let started = try plans.map { try launcher.startExec($0) }
            let failure = try launcher.execFailure(of: .test("/bin/true", id: "one-more"))
            #expect(failure.kind == .spec && failure.message.contains("16"), "\(failure)")
            for (index, plan) in plans.enumerated() {
                try #require(started[index].input).writeAll(Array("\(index)".utf8))
                try launcher.send(.signal(id: plan.id, signal: 15))
                let done = try launcher.finish(plan.id, started[index])
                #expect(done.report.end == .signaled(signal: 15))
            }
            try #expect(launcher.exec(.test("/bin/true", id: "one-more")).report.end == .exited(code: 0))
        }
    }
}
