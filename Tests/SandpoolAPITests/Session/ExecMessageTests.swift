import SandpoolAPI
import SandpoolModel
import Testing

@Suite struct ExecMessageTests {
    static let controls: [Golden<ExecControl>] = [
        Golden(.signal(2), #"{"signal":{"_0":2}}"#), Golden(.cancel, #"{"cancel":{}}"#),
    ]

    @Test(arguments: controls)
    func aControlIsExactlyThis(golden: Golden<ExecControl>) throws {
        try golden.check()
        try golden.value.check()
    }

    @Test(arguments: [0, -1, 65, .max]) func whatIsNoSignalIsRefused(number: Int) {
        #expect(throws: APIError.self) { try ExecControl.signal(number).check() }
    }

    static let events: [Golden<ExecEvent>] = [
        Golden(
            .created(id: Fixed.exec, job: Fixed.job),
            #"{"created":{"id":"ex-01jd8000000000000000000004","job":"sb-01jd8000000000000000000002"}}"#),
        Golden(.started, #"{"started":{}}"#),
        Golden(.inputConsumed(5), #"{"inputConsumed":{"_0":5}}"#),
        Golden(
            .ended(ExecEnd(Outcome(cause: .exited, exitCode: 3))),
            #"{"ended":{"_0":{"cause":"exited","exitCode":3,"returnCode":3}}}"#),
        Golden(
            .ended(ExecEnd(Outcome(cause: .signaled, signal: 9, message: "m"))),
            #"{"ended":{"_0":{"cause":"signaled","message":"m","returnCode":137,"signal":9}}}"#),
        Golden(
            .ended(ExecEnd(Outcome(cause: .setupFailed, message: "m"))),
            #"{"ended":{"_0":{"cause":"setup_failed","message":"m"}}}"#),
        Golden(
            .failed(APIError(status: 0, code: "exec_lost", message: "m", hint: "h")),
            #"{"failed":{"_0":{"code":"exec_lost","hint":"h","message":"m"}}}"#),
    ]

    @Test(arguments: events)
    func anEventIsExactlyThis(golden: Golden<ExecEvent>) throws { try golden.check() }

    // MARK: The spec

    static func decode(_ json: String) throws -> ExecSpec { try WireJSON.decode(ExecSpec.self, from: json.utf8) }

    static let full = """
        {"command":["a","b"],"environment":{"A":"B"},"stdin":"stream","timeoutSeconds":90,"user":"nobody",\
        "workdir":"/w"}
        """

    @Test func everyKeyGoesThereAndBack() throws {
        let spec = try Self.decode(Self.full)
        #expect(try WireJSON.text(spec) == Self.full)
        #expect(spec.workingDirectory == "/w" && spec.stdin == .stream && spec.timeoutSeconds == 90)
        #expect(try WireJSON.text(ExecSpec(command: ["true"])) == #"{"command":["true"]}"#)
        #expect(try Self.decode(#"{"command":"ls | wc"}"#).command == ["/bin/sh", "-c", "ls | wc"])
    }

    @Test(arguments: [
        (#"{"command":["a"],"memoryBytes":1}"#, "unknown_key"), (#"{"command":["a"],"workDir":"/"}"#, "unknown_key"),
        ("{}", "invalid_json"), (#"{"command":7}"#, "invalid_json"),
        (#"{"command":["a"],"stdin":"tty"}"#, "invalid_json"), ("[]", "invalid_json"), ("", "invalid_json"),
    ])
    func whatIsNoSpecIsRefused(json: String, code: String) {
        let error = #expect(throws: APIError.self) { try Self.decode(json) }
        #expect(error?.code == code)
    }

    @Test(arguments: [
        (#"{"command":[]}"#, "command"), (#"{"command":[""]}"#, "command[0]"),
        (#"{"command":["a\u0000b"]}"#, "command[0]"),
        (#"{"command":["a"],"environment":{"A=":"b"}}"#, "environment.A="),
        (#"{"command":["a"],"environment":{"SANDPOOL_JOB_ID":"b"}}"#, "environment.SANDPOOL_JOB_ID"),
        (#"{"command":["a"],"environment":{"A":"b\u0000"}}"#, "environment.A"),
        (#"{"command":["a"],"workdir":"w"}"#, "workdir"), (#"{"command":["a"],"workdir":"/../etc"}"#, "workdir"),
        (#"{"command":["a"],"user":"a b"}"#, "user"), (#"{"command":["a"],"user":"65536"}"#, "user"),
        (#"{"command":["a"],"timeoutSeconds":0}"#, "timeoutSeconds"),
        (#"{"command":["a"],"timeoutSeconds":1e12}"#, "timeoutSeconds"),
    ])
    func whatCannotBeIsRefusedByItsKey(json: String, key: String) throws {
        let spec = try Self.decode(json)
        let problem = #expect(throws: SpecProblem.self) { try spec.validate(limits: PoolLimits()) }
        #expect(problem?.key == key)
    }

    /// A pool that gives no network still runs commands beside its jobs.
    @Test func theNetworkIsTheSandboxes() throws {
        var limits = PoolLimits()
        limits.allowsNetwork = false
        try ExecSpec(command: ["true"]).validate(limits: limits)
    }

    @Test func whatIsLeftOutIsTheJobs() {
        var job = JobSpec(command: ["x"])
        job.environment = ["A": "job", "B": "job"]
        job.workingDirectory = "/job"
        job.user = "7"
        var spec = ExecSpec(command: ["true"])
        spec.environment = ["B": "own"]
        let completed = spec.completed(from: job)
        #expect(completed.environment == ["A": "job", "B": "own"])
        #expect(completed.workingDirectory == "/job" && completed.user == "7")
        spec.workingDirectory = "/own"
        spec.user = "8"
        #expect(spec.completed(from: job).workingDirectory == "/own" && spec.completed(from: job).user == "8")
    }
}
