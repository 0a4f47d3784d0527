import Glibc
import LinuxSystem
import SandpoolSandbox
import Testing

/// However a further command ends, everything that it started ends with it, and nothing else does.
@Suite struct ExecEndTests {
    @Test func theTimeoutTerms() throws {
        try withWaitingSandbox { launcher in
            let script = "trap 'echo term; exit 7' TERM; sleep 1000 & wait"
            for user in ["0", "65534"] {
                let done = try launcher.exec(.test("/bin/sh", "-c", script, user: user, timeoutMs: 200))
                #expect(done.report.reason == .timeout && done.report.end == .exited(code: 7))
                #expect(done.text == "term\n" && done.report.wallMs >= 200)
            }
        }
    }

    private static let stubborn =
        "trap '' TERM; (setsid sh -c \"trap '' TERM; sleep 1000\" &); echo up; while :; do sleep 1000; done"

    @Test func oneThatIgnoresTermIsKilledWhole() throws {
        try withWaitingSandbox { launcher in
            let plan = ExecPlan.test("/bin/sh", "-c", Self.stubborn, timeoutMs: 200, graceMs: 100)
            let done = try launcher.exec(plan)
            #expect(done.report.reason == .timeout && done.report.end == .signaled(signal: 9))
            #expect(done.text == "up\n")
            try expectAlone(launcher)
        }
    }

    @Test(arguments: [UInt64(0), 50]) func cancelEndsIt(graceMs: UInt64) throws {
        try withWaitingSandbox { launcher in
            let started = try launcher.beginExec(.shell(Self.stubborn), saying: 3)
            try launcher.send(.cancel(id: "exec", graceMs: graceMs))
            let report = try launcher.finish("exec", started).report
            #expect(report.reason == .cancelled && report.end == .signaled(signal: 9))
            try expectAlone(launcher)
        }
    }

    @Test func cancelTermsFirst() throws {
        try withWaitingSandbox { launcher in
            let script = "trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.01; done"
            let started = try launcher.beginExec(.shell(script), saying: 3)
            try launcher.send(.cancel(id: "exec", graceMs: 60_000))
            let done = try launcher.finish("exec", started)
            #expect(done.report.reason == .cancelled && done.report.end == .exited(code: 3))
            #expect(done.text == "up\nbye\n")
        }
    }

    @Test func whatItLeavesBehindDiesWithIt() throws {
        try withWaitingSandbox { launcher in
            let script = "(setsid sleep 1000 &); (setsid sh -c 'sleep 1000 & sleep 1000' &); echo up; exit 3"
            let done = try launcher.exec(.shell(script))
            #expect(done.report.end == .exited(code: 3) && done.text == "up\n")
            try expectAlone(launcher)
        }
    }

    /// One that forks and ends all the time is never there when somebody looks.
    @Test func aChainOfForksDiesWithIt() throws {
        try withWaitingSandbox { launcher in
            let script = """
                import os, sys
                if os.fork() == 0:
                    os.setsid()
                    while True:
                        if os.fork() > 0: os._exit(0)
                sys.exit(4)
                """
            try #expect(launcher.exec(.test("/usr/bin/python3", "-c", script)).report.end == .exited(code: 4))
            try expectAlone(launcher)
        }
    }

    /// A daemon of the main command's goes on, whatever ends beside it.
    @Test func theMainCommandsProcessesAreLeftAlone() throws {
        let script = """
            (setsid sh -c 'while :; do sleep 0.1; done' &); echo up
            read line; pgrep -f 'while' >/dev/null && exit 5
            """
        try withWaitingSandbox(SandboxPlan.shell(script).withInput()) { launcher in
            for _ in 0..<3 { try #expect(launcher.exec(.shell("exit 1")).report.end == .exited(code: 1)) }
        }
    }

    @Test(arguments: ["by itself", "killed"]) func itEndsWithItsSandbox(way: String) throws {
        try withLauncher { launcher in
            let main = try launcher.start(.waiting)
            try launcher.waitForOutput("test", atLeast: 3)
            let ids = (0..<4).map { "exec-\($0)" }
            let started = try ids.map { try launcher.beginExec(.shell(Self.stubborn, id: $0), saying: 3) }
            if way == "killed" {
                try launcher.send(.cancel(id: "test", graceMs: 0))
            } else {
                try #require(main.input).writeAll(Array("go\n".utf8))
            }
            var order: [String] = []
            while order.last != "test" {
                try launcher.next { event, _ -> Void? in
                    guard case .exited(let id, let report) = event else { return nil }
                    order.append(id)
                    if id != "test" { #expect(report.reason == .none && report.end == .killed) }
                    return ()
                }
            }
            #expect(Set(order) == Set(ids + ["test"]) && order.count == 5)
            for id in order { try launcher.send(.release(id: id)) }
            withExtendedLifetime(started) {}
        }
    }

    /// One that is only about to start is told of, too, before its sandbox is.
    @Test func aStartUnderWayEndsWithItsSandbox() throws {
        try withLauncher { launcher in
            let process = try #require(launcher.process)
            for round in 0..<20 {
                let main = try launcher.start(.waiting)
                // Stopped, so that the request and the end are both there when it looks.
                kill(process.pid, SIGSTOP)
                for number in 0..<4 { try launcher.requestExec(.shell("sleep 1000", id: "exec-\(round)-\(number)")) }
                try #require(main.input).writeAll(Array("go\n".utf8))
                kill(process.pid, SIGCONT)
                var told: Set<String> = []
                var isOver = false
                while !isOver {
                    try launcher.next { event, _ -> Void? in
                        switch event {
                        case .failed(let id, _), .exited(let id, _):
                            told.insert(id)
                            isOver = id == "test"
                            return ()
                        case .started: return ()
                        default: return nil
                        }
                    }
                }
                #expect(told.count == 5)
                for id in told { try launcher.send(.release(id: id)) }
            }
        }
    }

    @Test func theNextWorkerHearsNothingOfIt() throws {
        try withService { service in
            let first = try service.connect()
            let main = try first.start(.waiting)
            try first.waitForOutput("test", atLeast: 3)
            let running = try first.beginExec(.shell(Self.stubborn, id: "running"), saying: 3)
            let ended = try first.startExec(.shell("exit 1", id: "ended"))
            try first.next { event, _ -> Void? in if case .exited("ended", _) = event { () } else { nil } }
            first.disconnect()

            let second = try service.connect()
            let (event, _) = try second.next()
            guard case .adopted("test", _) = event else { throw TestFailure("\(event)") }
            try expectAlone(second)
            // Their names are free again, once their processes are gone.
            for id in ["running", "ended"] {
                try #expect(second.exec(.shell("exit 2", id: id)).report.end == .exited(code: 2))
            }
            try #require(main.input).writeAll(Array("go\n".utf8))
            let (last, _) = try second.next()
            guard case .exited("test", let report) = last else { throw TestFailure("\(last)") }
            #expect(report.end == .exited(code: 5))
            withExtendedLifetime((running, ended)) {}
        }
    }

    /// In the sandbox there are pid 1, its main command, and who looks.
    private func expectAlone(_ launcher: LauncherClient) throws {
        let script = "import os; print(len([p for p in os.listdir('/proc') if p.isdigit()]))"
        let done = try launcher.exec(.test("/usr/bin/python3", "-c", script, id: "look"))
        #expect(done.text == "3\n", "\(done.text) \(done.errorText)")
    }
}
