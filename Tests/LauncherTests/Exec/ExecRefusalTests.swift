import LinuxSystem
import SandpoolSandbox
import Testing

/// Requests that cannot be met, whoever made them, are answered with what is wrong, and nothing of them stays.
@Suite struct ExecRefusalTests {
    @Test func onlyASandboxThatRunsTakesACommand() throws {
        try withLauncher { launcher in
            let unknown = try launcher.execFailure(of: .test("/bin/true"), in: "nobody")
            #expect(unknown.kind == .spec && unknown.message.contains("sandbox nobody is not here"), "\(unknown)")
            let started = try launcher.start(.test("/bin/true"))
            let report: ExitReport = try launcher.next { event, _ in
                if case .exited("test", let report) = event { return report }
                return nil
            }
            #expect(report.end == .exited(code: 0))
            let ended = try launcher.execFailure(of: .test("/bin/true"))
            #expect(ended.kind == .spec && ended.message.contains("has ended"), "\(ended)")
            try launcher.send(.release(id: "test"))
            withExtendedLifetime(started) {}
            let released = try launcher.execFailure(of: .test("/bin/true"))
            #expect(released.kind == .spec, "\(released)")
        }
    }

    @Test func oneThatIsBeingEndedTakesNone() throws {
        try withLauncher { launcher in
            let main = try launcher.start(.shell("trap '' TERM; echo up; read line; exit 5").withInput())
            try launcher.waitForOutput("test", atLeast: 3)
            try launcher.send(.cancel(id: "test", graceMs: 60_000))
            let failure = try launcher.execFailure(of: .test("/bin/true"))
            #expect(failure.kind == .spec && failure.message.contains("being ended"), "\(failure)")
            try #require(main.input).writeAll(Array("go\n".utf8))
            try #expect(launcher.finish("test", main).report.end == .exited(code: 5))
        }
    }

    @Test func anIdIsTakenOnce() throws {
        try withWaitingSandbox { launcher in
            let started = try launcher.startExec(.test("/bin/cat", stdin: .pipe))
            for plan in [ExecPlan.test("/bin/true"), .test("/bin/true", id: "test")] {
                let failure = try launcher.execFailure(of: plan)
                #expect(failure.kind == .spec && failure.errno == 17, "\(failure)")
            }
            let failure = try launcher.failure(of: .test("/bin/true", id: "exec"))
            #expect(failure.kind == .spec && failure.errno == 17, "\(failure)")
            try launcher.send(.cancel(id: "exec", graceMs: 0))
            try #expect(launcher.finish("exec", started).report.reason == .cancelled)
        }
    }

    @Test func hostilePlansAreRefused() throws {
        try withWaitingSandbox { launcher in
            for change: (inout ExecPlan) -> Void in [
                { $0.arguments = [] }, { $0.workingDirectory = "relative" }, { $0.environment = ["NOVALUE"] },
                { $0.arguments = ["a\0b"] }, { $0.outputBytes = 1 << 51 }, { $0.user = "a\0b" },
                { $0.id = "" }, { $0.id = "../x" }, { $0.id = "A" }, { $0.id = String(repeating: "a", count: 65) },
                { $0.workingDirectory = "/a\0b" },
            ] {
                var plan = ExecPlan.test("/bin/true")
                change(&plan)
                let failure = try launcher.execFailure(of: plan)
                #expect(failure.kind == .spec && failure.stage == "plan", "\(failure)")
            }
            try launcher.send(.exec(id: "exec", sandbox: "test"))
            try #expect(refusal(launcher).contains("no plan came"))
            let pipe = try Pipe()
            try pipe.writeEnd.writeAll(ExecPlan.test("/bin/true").encoded())
            try launcher.send(.exec(id: "exec", sandbox: "test"), [pipe.readEnd])
            try #expect(refusal(launcher).contains("sealed"))
            for bytes in [[], [1], Array(ExecPlan.test("/bin/true").encoded().dropLast())] {
                try launcher.send(.exec(id: "exec", sandbox: "test"), [try SealedFile.make(bytes, name: "plan")])
                try #expect(refusal(launcher).contains("cannot be read"))
            }
            let other = try SealedFile.make(ExecPlan.test("/bin/true", id: "other").encoded(), name: "plan")
            try launcher.send(.exec(id: "exec", sandbox: "test"), [other])
            try #expect(refusal(launcher).contains("another command"))
            try #expect(launcher.exec(.test("/bin/true")).report.end == .exited(code: 0))
        }
    }

    private func refusal(_ launcher: LauncherClient) throws -> String {
        guard case .failed(let failure) = try launcher.outcome(of: "exec") else { throw TestFailure("it started") }
        #expect(failure.kind == .spec && failure.stage == "plan", "\(failure)")
        return failure.message
    }
}
