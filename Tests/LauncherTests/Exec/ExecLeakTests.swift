import Foundation
import SandpoolSandbox
import Testing

/// A sandbox that is used for long leaves nothing of what was done in it, and neither does a launcher that dies.
@Suite struct ExecLeakTests {
    private static let rounds = 20

    @Test func aHundredCommandsLeaveNothing() throws {
        try withLauncher { launcher in
            let process = try #require(launcher.process)
            try #expect(launcher.run(.test("/bin/true", id: "first")).report.end == .exited(code: 0))
            let idle = try process.idleState()
            let main = try launcher.start(.waiting)
            try launcher.waitForOutput("test", atLeast: 3)
            try runEachKind(launcher, rounds: 1)
            let before = try held(LauncherState(of: process))
            let memory = try HostTraces.residentKiB(of: process)
            try runEachKind(launcher, rounds: Self.rounds)
            try process.awaitState("with the sandbox", before, held)
            try #expect(HostTraces.residentKiB(of: process) <= memory + 1_024)
            try #require(main.input).writeAll(Array("go\n".utf8))
            _ = try launcher.finish("test", main)
            try process.awaitState("after the sandbox", idle) { $0.withoutCaches }
        }
    }

    /// Without what a pool has, or takes for a moment when it is filled: a socket.
    private func held(_ state: LauncherState) -> LauncherState {
        var state = state.withoutPools
        state.descriptors["socket"] = nil
        return state
    }

    private func runEachKind(_ launcher: LauncherClient, rounds: Int) throws {
        for _ in 0..<rounds {
            try #expect(launcher.exec(.test("/bin/true")).report.end == .exited(code: 0))
            try #expect(launcher.exec(.shell("(setsid sleep 1000 &); exit 3")).report.end == .exited(code: 3))
            try #expect(launcher.execFailure(of: .test("/no/such/program")).kind == .commandNotFound)
            try #expect(launcher.execFailure(of: .test("/bin/true", user: "nobody-here")).stage == "user")
            let started = try launcher.startExec(.test("/bin/cat", stdin: .pipe))
            try launcher.send(.cancel(id: "exec", graceMs: 0))
            try #expect(launcher.finish("exec", started).report.reason == .cancelled)
        }
    }

    /// With room for one descriptor more each time, the request fails at another place.
    @Test func withoutDescriptorsItFailsAndLeavesNothing() throws {
        try withWaitingSandbox { launcher in
            let process = try #require(launcher.process)
            try #expect(launcher.exec(.test("/bin/true")).report.end == .exited(code: 0))
            let before = try held(LauncherState(of: process))
            var failures = 0
            var hasStarted = false
            for room in 0..<64 where !hasStarted {
                try process.limitDescriptors(to: process.lowestFreeDescriptor() + room)
                try launcher.requestExec(.test("/bin/cat", stdin: .pipe))
                switch try launcher.outcome(of: "exec") {
                case .failed(let failure):
                    failures += 1
                    #expect(failure.kind == .setup, "\(failure)")
                case .started(let started):
                    hasStarted = true
                    try launcher.send(.cancel(id: "exec", graceMs: 0))
                    _ = try launcher.finish("exec", started)
                }
                try process.limitDescriptors(to: nil)
                try process.awaitState("with room for \(room)", before, held)
            }
            #expect(hasStarted && failures > 10)
        }
    }

    @Test func aKilledLauncherLeavesNothingAfterTheNextStart() throws {
        let directory = try LauncherProcess.temporaryDirectory()
        defer { LauncherProcess.removeData(directory) }
        let first = try Service(directory)
        let client = try first.connect()
        let main = try client.start(.waiting)
        try client.waitForOutput("test", atLeast: 3)
        let script = "(setsid sleep 1000 &); echo up; sleep 1000"
        let started = try client.beginExec(.shell(script), saying: 3)
        kill(first.process.pid, SIGKILL)
        first.process.wait()
        withExtendedLifetime((main, started)) {}

        let second = try Service(directory)
        try #expect(second.connect().run(.test("/bin/true")).report.end == .exited(code: 0))
        second.stop()
        #expect(hostMounts(below: directory).isEmpty)
        for path in second.process.cgroupDirectories() { #expect(!FileManager.default.fileExists(atPath: path)) }
    }
}
