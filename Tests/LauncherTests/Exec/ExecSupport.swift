import LinuxSystem
import SandpoolSandbox
import Testing

extension ExecPlan {
    /// A plan with everything ordinary but what a test names.
    static func test(
        _ arguments: String..., id: String = "exec", environment: [String] = [], workingDirectory: String = "/",
        user: String = "0", stdin: SandboxPlan.StandardInput = .none, timeoutMs: UInt64 = 0, graceMs: UInt64 = 10_000,
        output: UInt64 = 16 << 20, backlog: UInt64 = 64 << 20
    ) -> ExecPlan {
        ExecPlan(
            id: id, arguments: arguments,
            environment: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"] + environment,
            workingDirectory: workingDirectory, user: user, stdin: stdin, timeoutMs: timeoutMs, graceMs: graceMs,
            outputBytes: output, backlogBytes: backlog)
    }

    static func shell(_ script: String, id: String = "exec") -> ExecPlan { .test("/bin/sh", "-c", script, id: id) }
}

extension SandboxPlan {
    /// Waits for a line of input and ends with 5.
    static var waiting: SandboxPlan { SandboxPlan.shell("echo up; read line; exit 5").withInput() }

    func withInput() -> SandboxPlan {
        var plan = self
        plan.stdin = .pipe
        return plan
    }
}

extension LauncherClient {
    func requestExec(_ plan: ExecPlan, in sandbox: String = "test") throws {
        try send(.exec(id: plan.id, sandbox: sandbox), [try SealedFile.make(plan.encoded(), name: "plan")])
    }

    func startExec(_ plan: ExecPlan, in sandbox: String = "test") throws -> Started {
        try requestExec(plan, in: sandbox)
        switch try outcome(of: plan.id) {
        case .started(let started): return started
        case .failed(let failure): throw TestFailure("\(failure)")
        }
    }

    func exec(_ plan: ExecPlan, in sandbox: String = "test") throws -> Finished {
        try finish(plan.id, startExec(plan, in: sandbox))
    }

    func execFailure(of plan: ExecPlan, in sandbox: String = "test") throws -> SandboxFailure {
        try requestExec(plan, in: sandbox)
        guard case .failed(let failure) = try outcome(of: plan.id) else { throw TestFailure("it started") }
        return failure
    }

    /// Waits until a command has said so many bytes.
    func beginExec(_ plan: ExecPlan, saying count: UInt64, in sandbox: String = "test") throws -> Started {
        let started = try startExec(plan, in: sandbox)
        try waitForOutput(plan.id, atLeast: count)
        return started
    }
}

/// A launcher with a sandbox that waits; afterwards its main command ends by itself, untouched by what was beside it.
func withWaitingSandbox(_ plan: SandboxPlan = .waiting, _ body: (LauncherClient) throws -> Void) throws {
    try withLauncher { launcher in
        let main = try launcher.start(plan)
        try launcher.waitForOutput("test", atLeast: 3)
        try body(launcher)
        try #require(main.input).writeAll(Array("go\n".utf8))
        let finished = try launcher.finish("test", main)
        #expect(finished.report.end == .exited(code: 5) && finished.report.reason == .none, "\(finished.report)")
        #expect(finished.report.oomKills == 0)
        #expect(finished.text == "up\n")
    }
}
