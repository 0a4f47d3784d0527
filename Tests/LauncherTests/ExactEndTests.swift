import SandpoolSandbox
import Testing

/// Every exit code and every signal is reported as it was, in whatever company.
@Suite struct ExactEndTests {
    /// Ends of several sandboxes that run at once, in the order of the plans.
    private func ends(_ launcher: LauncherClient, _ plans: [SandboxPlan]) throws -> [LauncherClient.Finished] {
        for plan in plans { try launcher.request(plan) }
        return try plans.map { plan in
            guard case .started(let started) = try launcher.outcome(of: plan.id) else {
                throw TestFailure("\(plan.id) did not start")
            }
            return try launcher.finish(plan.id, started)
        }
    }

    @Test func everyExitCode() throws {
        try withLauncher { launcher in
            for first in stride(from: 0, through: 255, by: 16) {
                let codes = (first..<first + 16).map { UInt8($0) }
                let plans = codes.map { SandboxPlan.shell("echo \($0); exit \($0)", id: "job-\($0)") }
                for (code, end) in zip(codes, try ends(launcher, plans)) {
                    #expect(end.report.end == .exited(code: code))
                    #expect(end.report.reason == .none && end.report.oomKills == 0)
                    #expect(end.text == "\(code)\n")
                }
            }
        }
    }

    /// What does nothing to a command that has no handler: CHLD, URG, WINCH, and CONT where nothing is stopped
    /// (signal(7)); and TSTP, TTIN and TTOU, which do not stop a process group without a parent in its session
    /// (setpgid(2)).
    private static let ignored: [UInt8] = [17, 18, 20, 21, 22, 23, 28]
    private static let stop: UInt8 = 19
    /// The C library keeps these for its threads and lets nobody catch them (nptl(7)).
    private static let kept: [UInt8] = [32, 33]

    private static func suicide(_ signal: UInt8) -> SandboxPlan {
        .test("/usr/bin/perl", "-e", "$SIG{FPE} = 'DEFAULT'; kill \(signal), $$; exit 7", id: "job-\(signal)")
    }

    @Test func everySignalThatEnds() throws {
        try withLauncher { launcher in
            let signals = (UInt8(1)...64).filter { !(Self.ignored + [Self.stop]).contains($0) }
            for first in stride(from: 0, to: signals.count, by: 16) {
                let some = signals[first..<min(first + 16, signals.count)]
                for (signal, end) in zip(some, try ends(launcher, some.map(Self.suicide))) {
                    #expect(end.report.end == .signaled(signal: signal))
                    #expect(end.report.reason == .none)
                }
            }
        }
    }

    @Test func everySignalThatDoesNotEnd() throws {
        try withLauncher { launcher in
            for end in try ends(launcher, Self.ignored.map(Self.suicide)) {
                #expect(end.report.end == .exited(code: 7))
            }
        }
    }

    /// Stopped by its own hand, continued from outside.
    @Test func aStoppedCommandGoesOn() throws {
        try withLauncher { launcher in
            // The child sees the state of its parent in /proc/PID/stat, and only then says so.
            let script = """
                $| = 1; my $me = $$; my $child = fork;
                if (!$child) {
                    setpgrp;
                    while (1) { open my $f, "<", "/proc/$me/stat"; last if <$f> =~ /\\) T /; }
                    print "stopped\\n"; exit;
                }
                kill \(Self.stop), $me; waitpid $child, 0; exit 7;
                """
            let started = try launcher.start(.test("/usr/bin/perl", "-e", script))
            try launcher.waitForOutput("test", atLeast: 8)
            try launcher.send(.signal(id: "test", signal: 18))
            let end = try launcher.finish("test", started)
            #expect(end.report.end == .exited(code: 7))
            #expect(end.text == "stopped\n")
        }
    }

    @Test func everySignalFromOutsideReachesTheCommand() throws {
        try withLauncher { launcher in
            let signals = (UInt8(1)...64).filter { !([9, Self.stop] + Self.kept).contains($0) }
            let script = """
                import signal
                wanted = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}
                signal.pthread_sigmask(signal.SIG_BLOCK, wanted)
                print("ready", flush=True)
                for _ in range(\(signals.count)):
                    print("%02d" % signal.sigwaitinfo(wanted).si_signo, flush=True)
                """
            let started = try launcher.start(.test("/usr/bin/python3", "-c", script))
            var count: UInt64 = 6
            try launcher.waitForOutput("test", atLeast: count)
            for signal in signals {
                try launcher.send(.signal(id: "test", signal: signal))
                count += 3
                try launcher.waitForOutput("test", atLeast: count)
            }
            let end = try launcher.finish("test", started)
            #expect(end.report.end == .exited(code: 0))
            let lines = signals.map { ($0 < 10 ? "0" : "") + "\($0)" }
            #expect(end.text == (["ready"] + lines).joined(separator: "\n") + "\n")
        }
    }

    @Test func theOthersFromOutsideEndIt() throws {
        try withLauncher { launcher in
            for signal in [9] + Self.kept {
                let started = try launcher.start(.shell("echo up; sleep 1000"))
                try launcher.waitForOutput("test", atLeast: 3)
                try launcher.send(.signal(id: "test", signal: signal))
                try #expect(launcher.finish("test", started).report.end == .signaled(signal: signal))
            }
        }
    }
}
