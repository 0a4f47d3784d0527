import SandpoolSandbox
import Testing

/// How a command's end is reported.
@Suite struct ExitTests {
    @Test func exitCodesAreExact() throws {
        try withLauncher { launcher in
            for code: UInt8 in [0, 1, 2, 42, 124, 125, 126, 127, 128, 137, 254, 255] {
                let report = try launcher.run(.shell("exit \(code)")).report
                #expect(report.end == .exited(code: code))
                #expect(report.reason == .none)
                #expect(report.oomKills == 0)
            }
        }
    }

    @Test func signalsAreExact() throws {
        try withLauncher { launcher in
            for signal: UInt8 in [1, 2, 3, 6, 9, 11, 13, 15, 34, 64] {
                let report = try launcher.run(.test("/usr/bin/perl", "-e", "kill \(signal), $$; sleep 1000")).report
                #expect(report.end == .signaled(signal: signal))
            }
        }
    }

    @Test func aCommandThatIsMissingWasNotStarted() throws {
        try withLauncher { launcher in
            for name in ["no-such-program", "/no/such/program", ""] {
                let failure = try launcher.failure(of: .test(name))
                #expect(failure.kind == .commandNotFound, "\(name): \(failure)")
                #expect(failure.stage == "exec")
            }
        }
    }

    @Test func aCommandThatIsNoProgramWasNotStarted() throws {
        try withLauncher { launcher in
            for path in ["/etc/passwd", "/usr", "/tmp"] {
                let failure = try launcher.failure(of: .test(path))
                #expect(failure.kind == .commandNotExecutable, "\(path): \(failure)")
            }
        }
    }

    @Test func aDaemonThatHoldsTheOutputEndsWithTheCommand() throws {
        try withLauncher { launcher in
            let end = try launcher.run(.shell("(setsid sleep 1000 &) ; echo done; exit 3"))
            #expect(end.report.end == .exited(code: 3))
            #expect(end.text == "done\n")
        }
    }

    @Test func anOrphanIsReapedByPid1() throws {
        try withLauncher { launcher in
            // Every orphan becomes a child of pid 1; none may stay as a zombie.
            let script = """
                for i in 1 2 3 4 5 6 7 8; do (true &); done
                until [ "$(grep -l '^State:.Z' /proc/[0-9]*/status 2>/dev/null | wc -l)" = 0 ]; do :; done
                """
            let finished = try launcher.run(.shell(script))
            #expect(finished.report.end == .exited(code: 0))
        }
    }

    @Test func manyAtOnceKeepTheirOwnCodes() throws {
        try withLauncher { launcher in
            let codes = Array(UInt8(0)..<24)
            for code in codes { try launcher.request(.shell("echo \(code); exit \(code)", id: "job-\(code)")) }
            for code in codes {
                guard case .started(let started) = try launcher.outcome(of: "job-\(code)") else {
                    throw TestFailure("job-\(code) did not start")
                }
                let finished = try launcher.finish("job-\(code)", started)
                #expect(finished.report.end == .exited(code: code))
                #expect(finished.text == "\(code)\n")
            }
        }
    }
}
