import Glibc
import SandpoolSandbox
import Testing

/// A sandbox's limits hold for all of its commands together, and who goes over one of them is who ends.
@Suite struct ExecLimitTests {
    private static let hog = "import time; b = bytearray(400 << 20); time.sleep(1000)"

    private static var small: SandboxPlan {
        var plan = SandboxPlan.waiting
        plan.limits.memoryBytes = 100 << 20
        plan.limits.diskBytes = 1 << 20
        return plan
    }

    /// `withWaitingSandbox` looks at the main one's report.
    @Test(arguments: ["python3", "(python3 & wait); sleep 1000"])
    func outOfMemoryEndsThatCommandAlone(how: String) throws {
        try withWaitingSandbox(Self.small) { launcher in
            let bystander = try launcher.beginExec(.shell("echo up; sleep 1000", id: "bystander"), saying: 3)
            let script = how.replacing("python3", with: "python3 -c '\(Self.hog)'")
            for _ in 0..<3 {
                let done = try launcher.exec(.shell(script))
                #expect(done.report.oomKills > 0 && done.report.reason == .none, "\(done.report)")
                #expect(done.report.end != .exited(code: 0))
                #expect(done.report.peakMemoryBytes > 50 << 20)
            }
            try #expect(launcher.exec(.shell("exit 3")).report.end == .exited(code: 3))
            try launcher.send(.cancel(id: "bystander", graceMs: 0))
            let report = try launcher.finish("bystander", bystander).report
            #expect(report.oomKills == 0 && report.reason == .cancelled)
        }
    }

    /// What fills it is in no process that could be killed for it: files of the writable layer. So whatever asks for
    /// more then, a command that is about to begin too, or the sandbox as a whole is what the kernel takes.
    @Test func aCommandThatAFullMemoryKeepsFromBeginningSaysSo() throws {
        var plan = Self.small
        plan.limits.diskBytes = plan.limits.memoryBytes - (1 << 20)
        try withLauncher { launcher in
            let main = try launcher.start(plan)
            try launcher.waitForOutput("test", atLeast: 3)
            _ = try launcher.exec(.shell("head -c 200000000 /dev/zero > /tmp/full", id: "fill"))
            var beside: [LauncherClient.Started] = []
            var refusal: SandboxFailure?
            for number in 0..<15 where refusal == nil {
                let plan = ExecPlan.test("/bin/sleep", "1000", id: "exec-\(number)")
                try launcher.requestExec(plan)
                switch try launcher.outcome(of: plan.id) {
                case .started(let started): beside.append(started)
                case .failed(let failure): refusal = failure
                }
            }
            let failure = try #require(refusal)
            if failure.kind == .memory { return #expect(failure.errno == ENOMEM) }
            #expect(failure.kind == .spec && failure.stage == "sandbox", "\(failure)")
            try #expect(launcher.finish("test", main).report.oomKills > 0)
        }
    }

    /// The launcher, whose child it would be, waits for none that it does not know, and pid 1's end waits for all.
    @Test func noCommandGivesTheLauncherAChild() throws {
        let script = """
            import ctypes, platform
            clone = 56 if platform.machine() == 'x86_64' else 220
            libc = ctypes.CDLL(None, use_errno=True)
            print(libc.syscall(clone, 0x8000 | 17, 0, 0, 0, 0), ctypes.get_errno())
            """
        try withWaitingSandbox { launcher in
            try #expect(launcher.exec(.test("/usr/bin/python3", "-c", script)).text == "-1 1\n")
        }
    }

    /// Another one of its sandbox has its stdout, too, and writes to it as fast as it can and after its end.
    @Test func whoFloodsTheOutputOfAnEndedCommandHoldsUpNobody() throws {
        let taking = """
            import socket, subprocess
            door = socket.socket(socket.AF_UNIX)
            door.bind('/tmp/door')
            door.listen()
            print('up', flush=True)
            taken = socket.recv_fds(door.accept()[0], 1, 1)[1]
            floods = [subprocess.Popen(['yes'], stdout=taken[0]) for _ in range(2)]
            for flood in floods: flood.wait()
            """
        let giving = """
            import socket, time
            door = socket.socket(socket.AF_UNIX)
            door.connect('/tmp/door')
            socket.send_fds(door, [b'x'], [1])
            time.sleep(1000)
            """
        try withWaitingSandbox { launcher in
            let flood = try launcher.beginExec(.test("/usr/bin/python3", "-c", taking, id: "flood"), saying: 3)
            let victim = try launcher.beginExec(
                .test("/usr/bin/python3", "-c", giving, id: "victim"), saying: 1 << 20)
            try launcher.send(.cancel(id: "victim", graceMs: 0))
            try #expect(launcher.finish("victim", victim).report.reason == .cancelled)
            try #expect(launcher.exec(.shell("exit 3")).report.end == .exited(code: 3))
            try launcher.send(.cancel(id: "flood", graceMs: 0))
            _ = try launcher.finish("flood", flood)
        }
    }

    @Test func outOfMemoryInTheMainOneEndsTheSandbox() throws {
        try withLauncher { launcher in
            var plan = Self.small
            plan.arguments[2] = "echo up; read line; python3 -c '\(Self.hog)'; sleep 1000"
            let main = try launcher.start(plan)
            try launcher.waitForOutput("test", atLeast: 3)
            let beside = try launcher.beginExec(.shell("echo up; sleep 1000"), saying: 3)
            try #expect(launcher.exec(.shell("exit 1", id: "before")).report.end == .exited(code: 1))
            try main.input?.writeAll(Array("go\n".utf8))
            let report = try launcher.finish("exec", beside).report
            #expect(report.oomKills == 0 && report.end == .killed)
            let whole = try launcher.finish("test", main).report
            #expect(whole.oomKills > 0 && whole.reason == .none && whole.end != .exited(code: 0), "\(whole)")
        }
    }

    @Test func processesAreCountedTogether() throws {
        var plan = SandboxPlan.waiting
        plan.limits.pids = 20
        try withWaitingSandbox(plan) { launcher in
            let script = """
                import os, signal
                n = 0
                try:
                    while n < 100:
                        if os.fork() == 0: signal.pause()
                        n += 1
                except OSError as e: print(n, e.errno, flush=True)
                signal.pause()
                """
            let full = try launcher.beginExec(.test("/usr/bin/python3", "-c", script, id: "full"), saying: 6)
            let failure = try launcher.execFailure(of: .test("/bin/true"))
            #expect(failure.kind == .spec && failure.stage == "fork", "\(failure)")
            #expect(failure.message.contains("--pids"))
            try launcher.send(.cancel(id: "full", graceMs: 0))
            // pid 1, the main command and python itself are three of the 20.
            try #expect(launcher.finish("full", full).text == "17 11\n")
            try #expect(launcher.exec(.test("/bin/true")).report.end == .exited(code: 0))
        }
    }

    @Test func aForkBombEndsWithItsCommand() throws {
        try withWaitingSandbox { launcher in
            let bomb = "import os\nprint('up', flush=True)\nwhile True:\n try: os.fork()\n except OSError: pass"
            let started = try launcher.beginExec(.test("/usr/bin/python3", "-c", bomb), saying: 3)
            try launcher.send(.cancel(id: "exec", graceMs: 0))
            try #expect(launcher.finish("exec", started).report.reason == .cancelled)
            try #expect(launcher.exec(.test("/bin/true")).report.end == .exited(code: 0))
        }
    }

    @Test func theEvidenceIsTheCommandsOwn() throws {
        try withWaitingSandbox { launcher in
            let busy = try launcher.exec(.shell("i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done")).report
            #expect(busy.cpuMs > 0 && busy.peakMemoryBytes > 0 && !busy.leftOutLimits)
            let idle = try launcher.exec(.test("/bin/true")).report
            #expect(idle.cpuMs < busy.cpuMs)
        }
    }
}
