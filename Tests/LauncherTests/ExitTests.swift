import SandpoolSandbox
import Testing

/// How a command's end is reported.
@Suite struct ExitTests {
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
}
