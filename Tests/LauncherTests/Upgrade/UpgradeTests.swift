import Foundation
import LinuxSystem
import SandpoolSandbox
import Testing

/// A launcher whose program is replaced while sandboxes run.
@Suite struct UpgradeTests {
    @Test func outputInputAndCodesStayExact() throws {
        try withUpgrades { launcher in
            let client = try launcher.connect()
            // Lines all the time, over both upgrades.
            let script = """
                i=0; while ! [ -e /tmp/stop ] || [ $i -lt 5000 ]; do echo line $i; i=$((i+1)); done
                echo $i >&2; exit 77
                """
            let stream = try client.start(.shell(script, id: "stream"))
            let fed = try client.start(.shell("while read l; do echo got $l; done; exit 3", id: "fed").withInput())
            let killed = try client.start(.shell("echo up; read l; kill -KILL $$", id: "killed").withInput())
            let quick = try client.start(.shell("exit 9", id: "quick"))
            try client.waitForOutput("stream", atLeast: 100)
            try #require(fed.input).writeAll(Array("one\n".utf8))
            try client.waitForOutput("fed", atLeast: 8)
            for round in 1...2 {
                try launcher.upgrade()
                try #require(fed.input).writeAll(Array("round \(round)\n".utf8))
            }
            try #expect(client.exec(.shell("echo $((6*7)); touch /tmp/stop"), in: "stream").text == "42\n")
            try client.send(.closeInput(id: "fed"))
            try #require(killed.input).writeAll(Array("go\n".utf8))

            let streamed = try client.finish("stream", stream)
            #expect(streamed.report.end == .exited(code: 77))
            let count = try #require(Int(streamed.errorText.dropLast()))
            #expect(streamed.text == (0..<count).map { "line \($0)\n" }.joined())
            withExtendedLifetime(fed.input) {}
            let echoed = try client.finish("killed", killed)
            #expect(echoed.report.end == .signaled(signal: 9) && echoed.report.reason == .none)
            try #expect(client.finish("quick", quick).report.end == .exited(code: 9))
        }
    }

    @Test func timesAndLimitsHold() throws {
        try withUpgrades { launcher in
            let client = try launcher.connect()
            let late = try client.start(.test("/bin/sleep", "60", id: "late", timeoutMs: 1_500))
            let idle = try client.start(.test("/bin/sleep", "60", id: "idle", idleMs: 1_500))
            let stubborn = try client.start(
                .shell("trap 'echo asked' TERM; echo up; while :; do sleep 0.05; done", id: "stubborn"))
            let wanted = try client.start(.test("/bin/sleep", "60", id: "wanted"))
            let big = try client.start(
                .test(
                    "/usr/bin/python3", "-uc", "print('up'); input(); b = bytearray(400 << 20)", id: "big",
                    memory: 100 << 20, disk: 1 << 20, stdin: .pipe))
            try client.waitForOutput("stubborn", atLeast: 3)
            try client.waitForOutput("big", atLeast: 3)
            try client.send(.cancel(id: "stubborn", graceMs: 1_500))
            try client.waitForOutput("stubborn", atLeast: 9)
            try launcher.upgrade()
            try client.send(.cancel(id: "wanted", graceMs: 60_000))
            try #require(big.input).writeAll(Array("go\n".utf8))

            let timedOut = try client.finish("late", late).report
            #expect(timedOut.reason == .timeout && timedOut.end == .signaled(signal: 15))
            #expect(timedOut.wallMs >= 1_500)
            try #expect(client.finish("idle", idle).report.reason == .idleTimeout)
            let ended = try client.finish("stubborn", stubborn)
            #expect(ended.report.reason == .cancelled && ended.report.end == .killed)
            #expect(ended.text == "up\nasked\n")
            let cancelled = try client.finish("wanted", wanted).report
            #expect(cancelled.reason == .cancelled && cancelled.end == .signaled(signal: 15))
            let full = try client.finish("big", big).report
            #expect(full.oomKills > 0 && full.peakMemoryBytes > 50 << 20, "\(full)")
        }
    }

    @Test func furtherCommandsGoOn() throws {
        try withUpgrades { launcher in
            let client = try launcher.connect()
            let main = try client.start(.waiting)
            try client.waitForOutput("test", atLeast: 3)
            var fed = ExecPlan.shell("echo up; read l; echo $l; exit 6", id: "fed")
            fed.stdin = .pipe
            let first = try client.beginExec(fed, saying: 3)
            let late = try client.startExec(.test("/bin/sleep", "60", id: "late", timeoutMs: 1_500))
            let wanted = try client.startExec(.test("/bin/sleep", "60", id: "wanted"))
            try launcher.upgrade()
            try #require(first.input).writeAll(Array("after\n".utf8))
            let said = try client.finish("fed", first)
            #expect(said.report.end == .exited(code: 6) && said.text == "up\nafter\n")
            try #expect(client.finish("late", late).report.reason == .timeout)
            try client.send(.signal(id: "wanted", signal: 10))
            try #expect(client.finish("wanted", wanted).report.end == .signaled(signal: 10))
            try #expect(client.exec(.shell("exit 8", id: "new")).report.end == .exited(code: 8))
            try #require(main.input).writeAll(Array("bye\n".utf8))
            try #expect(client.finish("test", main).report.end == .exited(code: 5))
        }
    }

    /// What runs, what has ended and what its worker has not heard of, with no worker there.
    @Test func theNextWorkerAdoptsWhatTheProgramBeforeStarted() throws {
        try withUpgrades { launcher in
            let first = try launcher.connect()
            let waits = try first.start(.waiting)
            let ended = try first.start(.shell("echo done; exit 4", id: "ended"))
            first.disconnect()
            try launcher.upgrade()
            let second = try launcher.connect()
            let input = try second.adoptedInput(of: "test", among: 2)
            let said = try second.finish("ended", ended)
            #expect(said.report.end == .exited(code: 4) && said.text == "done\n")
            try #require(input).writeAll(Array("x\n".utf8))
            try #expect(second.finish("test", waits).report.end == .exited(code: 5))
        }
    }

    /// Each request is answered once and each sandbox ends as it should, whenever the program is replaced.
    @Test func startsUnderWayAreNotLost() throws {
        try withUpgrades { launcher in
            let client = try launcher.connect()
            var codes: [String: UInt8] = [:]
            for round in 0..<4 {
                kill(launcher.pid, SIGSTOP)
                for index in 0..<8 {
                    let id = "r\(round)-\(index)"
                    codes[id] = UInt8(round * 8 + index)
                    try client.request(.shell("exit \(round * 8 + index)", id: id))
                }
                try launcher.restore()
                launcher.ask()
                kill(launcher.pid, SIGCONT)
                for index in 8..<12 {
                    let id = "r\(round)-\(index)"
                    codes[id] = 100 + UInt8(index)
                    try client.request(.shell("exit \(100 + index)", id: id))
                }
                // Of one that waits, too.
                let id = "r\(round)-cancelled"
                try client.request(.test("/bin/sleep", "60", id: id))
                try client.send(.cancel(id: id, graceMs: 60_000))
                try launcher.awaitUpgrade()
            }
            for (id, code) in codes {
                guard case .started = try client.outcome(of: id) else { throw TestFailure("\(id) failed") }
                try #expect(client.report(of: id).end == .exited(code: code))
            }
            for round in 0..<4 {
                let id = "r\(round)-cancelled"
                switch try client.outcome(of: id) {
                case .started: try #expect(client.report(of: id).reason == .cancelled)
                case .failed(let failure): #expect(failure.message.contains("cancelled"))
                }
            }
        }
    }

    @Test func nothingPilesUp() throws {
        try withUpgrades { launcher in
            let client = try launcher.connect()
            let started = try client.start(.waiting)
            func use() throws {
                try #expect(client.run(.shell("exit 2", id: "other")).report.end == .exited(code: 2))
                try #expect(client.exec(.shell("exit 3")).report.end == .exited(code: 3))
            }
            try use()
            try launcher.upgrade()
            try use()
            try launcher.upgrade()
            // Before its pools are full again.
            let before = try launcher.openDescriptors()
            for _ in 0..<4 { try launcher.upgrade() }
            let after = try launcher.openDescriptors()
            #expect(after <= before + 24, "\(before) descriptors became \(after)")
            // The spooler and the sandbox.
            try #expect(launcher.children().count == 2)
            try #require(started.input).writeAll(Array("x\n".utf8))
            try #expect(client.finish("test", started).report.end == .exited(code: 5))
        }
    }
}
