import NIOCore
import SandpoolAPI
import SandpoolModel
import Testing

@Suite struct CoordinatorMessageTests {
    private static let held = HeldAttempt(lease: Fixed.lease, state: .preparing, stdoutBytes: 1, stderrBytes: 2)
    private static let welcome = WorkerWelcome(
        generation: 3, leaseSeconds: 30, heartbeatSeconds: 10, replaceSeconds: 120, keep: [held], kill: [Fixed.lease])
    private static let assignment = Assignment(
        lease: Fixed.lease, job: Fixed.job, spec: JobSpec(command: ["echo", "a/b"]))

    private static let exec: ExecAssignment = {
        var spec = ExecSpec(command: ["ls"])
        spec.environment = ["A": "b"]
        spec.workingDirectory = "/w"
        spec.user = "u"
        spec.timeoutSeconds = 2
        spec.stdin = .stream
        return ExecAssignment(id: Fixed.exec, lease: Fixed.lease, spec: spec)
    }()

    static let goldens: [Golden<CoordinatorMessage>] = [
        Golden(
            .welcome(welcome),
            #"{"welcome":{"_0":{"generation":3,"heartbeatSeconds":10,"keep":[{"lease":\#(Fixed.leaseJSON),"#
                + #""state":"preparing","stderrBytes":2,"stdoutBytes":1}],"kill":[\#(Fixed.leaseJSON)],"#
                + #""leaseSeconds":30,"replaceSeconds":120,"version":3}}}"#),
        Golden(
            .assign([assignment]),
            #"{"assign":{"_0":[{"job":"sb-01jd8000000000000000000002","lease":\#(Fixed.leaseJSON),"#
                + #""spec":\#(Fixed.specJSON)}]}}"#),
        Golden(.cancel(Fixed.lease), #"{"cancel":{"_0":\#(Fixed.leaseJSON)}}"#),
        Golden(.signal(Fixed.lease, signal: 15), #"{"signal":{"_0":\#(Fixed.leaseJSON),"signal":15}}"#),
        Golden(.kill(Fixed.lease), #"{"kill":{"_0":\#(Fixed.leaseJSON)}}"#),
        Golden(
            .recorded(
                [RecordedResult.Verdict.recorded, .duplicate, .fenced].map {
                    RecordedResult(lease: Fixed.lease, verdict: $0)
                }),
            #"{"recorded":{"_0":[{"lease":\#(Fixed.leaseJSON),"verdict":"recorded"},"#
                + #"{"lease":\#(Fixed.leaseJSON),"verdict":"duplicate"},"#
                + #"{"lease":\#(Fixed.leaseJSON),"verdict":"fenced"}]}}"#),
        Golden(
            .outputDurable(Fixed.lease, stdout: 8, stderr: 9),
            #"{"outputDurable":{"_0":\#(Fixed.leaseJSON),"stderr":9,"stdout":8}}"#),
        Golden(.heartbeat(sentMs: 42), #"{"heartbeat":{"sentMs":42}}"#),
        Golden(.drain, #"{"drain":{}}"#),
        Golden(
            .exec(exec),
            #"{"exec":{"_0":{"id":"ex-01jd8000000000000000000004","lease":\#(Fixed.leaseJSON),"#
                + #""spec":{"command":["ls"],"environment":{"A":"b"},"stdin":"stream","timeoutSeconds":2,"#
                + #""user":"u","workdir":"/w"}}}}"#),
        Golden(
            .execSignal(Fixed.exec, signal: 2),
            #"{"execSignal":{"_0":"ex-01jd8000000000000000000004","signal":2}}"#),
        Golden(.execCancel(Fixed.exec), #"{"execCancel":{"_0":"ex-01jd8000000000000000000004"}}"#),
        Golden(.execLeave(Fixed.exec), #"{"execLeave":{"_0":"ex-01jd8000000000000000000004"}}"#),
        Golden(
            .execOutputTaken(Fixed.exec, stdout: 1, stderr: 2),
            #"{"execOutputTaken":{"_0":"ex-01jd8000000000000000000004","stderr":2,"stdout":1}}"#),
        // The status is HTTP's and does not go over the wire.
        Golden(
            .failed(APIError(status: 0, code: "unsupported_version", message: "m", hint: "h")),
            #"{"failed":{"_0":{"code":"unsupported_version","hint":"h","message":"m"}}}"#),
    ]

    @Test(arguments: goldens)
    func jsonIsExactlyThisAndWithinBounds(golden: Golden<CoordinatorMessage>) throws {
        try golden.check()
        try golden.value.check()
    }

    @Test func everyCaseIsCovered() {
        let covered = Self.goldens.map { golden in
            switch golden.value {
            case .welcome: 0
            case .assign: 1
            case .cancel: 2
            case .signal: 3
            case .kill: 4
            case .recorded: 5
            case .outputDurable: 6
            case .heartbeat: 7
            case .drain: 8
            case .failed: 9
            case .exec: 10
            case .execSignal: 11
            case .execCancel: 12
            case .execLeave: 13
            case .execOutputTaken: 14
            }
        }
        #expect(Set(covered) == Set(0...14))
    }

    private static let stale = AttemptLease(attempt: Fixed.attempt, epoch: -1)

    @Test(arguments: [
        .cancel(stale), .kill(stale), .signal(stale, signal: 15), .recorded([.init(lease: stale, verdict: .fenced)]),
        .signal(Fixed.lease, signal: 0), .signal(Fixed.lease, signal: 65), .signal(Fixed.lease, signal: .min),
        .outputDurable(Fixed.lease, stdout: -1, stderr: 0), .outputDurable(Fixed.lease, stdout: 0, stderr: .max),
        .heartbeat(sentMs: .min),
        .exec(ExecAssignment(id: Fixed.exec, lease: stale, spec: ExecSpec(command: ["a"]))),
        .execSignal(Fixed.exec, signal: 0), .execSignal(Fixed.exec, signal: .max),
        .execOutputTaken(Fixed.exec, stdout: -1, stderr: 0), .execOutputTaken(Fixed.exec, stdout: 0, stderr: .max),
        .welcome(WorkerWelcome(generation: 1, leaseSeconds: 0, heartbeatSeconds: 1, keep: [], kill: [])),
        .welcome(WorkerWelcome(generation: 1, leaseSeconds: 1, heartbeatSeconds: -1, keep: [], kill: [])),
        .welcome(
            WorkerWelcome(
                generation: 1, leaseSeconds: 1, heartbeatSeconds: 1, replaceSeconds: 0, keep: [], kill: [])),
        .welcome(
            WorkerWelcome(
                generation: 1, leaseSeconds: 1, heartbeatSeconds: 1,
                keep: [HeldAttempt(lease: Fixed.lease, state: .running, stdoutBytes: .min, stderrBytes: 0)], kill: [])),
        .recorded(
            Array(repeating: .init(lease: Fixed.lease, verdict: .fenced), count: SessionLimits.attempts + 1)),
        .failed(APIError(status: 0, code: "c", message: String(repeating: "m", count: 1 << 20))),
    ] as [CoordinatorMessage])
    func whatCannotBeIsRefusedInOneLine(message: CoordinatorMessage) throws {
        let error = #expect(throws: APIError.self) { try message.check() }
        #expect(error?.code == "invalid_message")
        #expect(error?.message.contains("\n") == false)
    }

    /// Another version is known by its number, whatever has become of the rest.
    @Test(arguments: [
        (#"{"hello":{"_0":{"version":2,"new":[]}}}"#, 2), (#"{"welcome":{"_0":{"version":-1}}}"#, -1),
        (#"{"hello":{"_0":{"version":"2"}}}"#, nil), (#"{"hello":{"_0":{}}}"#, nil), (#"{"drain":{}}"#, nil),
        ("[]", nil), ("", nil), (#"{"hello":7}"#, nil),
    ] as [(String, Int?)])
    func theVersionIsReadApart(json: String, version: Int?) {
        #expect(Frame.json(ByteBuffer(string: json)).openingVersion == version)
        let input = InputFrame(id: "a", epoch: 0, offset: 0, isLast: true, bytes: ByteBuffer(string: json))
        #expect(Frame.input(input).openingVersion == nil)
    }
}
