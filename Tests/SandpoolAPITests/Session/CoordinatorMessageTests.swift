import NIOCore
import SandpoolAPI
import SandpoolModel
import Testing

@Suite struct CoordinatorMessageTests {
    private static let held = HeldAttempt(lease: Fixed.lease, state: .preparing, stdoutBytes: 1, stderrBytes: 2)
    private static let welcome = WorkerWelcome(
        generation: 3, leaseSeconds: 30, heartbeatSeconds: 10, keep: [held], kill: [Fixed.lease])
    private static let assignment = Assignment(
        lease: Fixed.lease, job: Fixed.job, spec: JobSpec(command: ["echo", "a/b"]))

    static let goldens: [Golden<CoordinatorMessage>] = [
        Golden(
            .welcome(welcome),
            #"{"welcome":{"_0":{"generation":3,"heartbeatSeconds":10,"keep":[{"lease":\#(Fixed.leaseJSON),"#
                + #""state":"preparing","stderrBytes":2,"stdoutBytes":1}],"kill":[\#(Fixed.leaseJSON)],"#
                + #""leaseSeconds":30,"version":1}}}"#),
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
            }
        }
        #expect(Set(covered) == Set(0...9))
    }

    private static let stale = AttemptLease(attempt: Fixed.attempt, epoch: -1)

    @Test(arguments: [
        .cancel(stale), .kill(stale), .signal(stale, signal: 15), .recorded([.init(lease: stale, verdict: .fenced)]),
        .signal(Fixed.lease, signal: 0), .signal(Fixed.lease, signal: 65), .signal(Fixed.lease, signal: .min),
        .outputDurable(Fixed.lease, stdout: -1, stderr: 0), .outputDurable(Fixed.lease, stdout: 0, stderr: .max),
        .heartbeat(sentMs: .min),
        .welcome(WorkerWelcome(generation: 1, leaseSeconds: 0, heartbeatSeconds: 1, keep: [], kill: [])),
        .welcome(WorkerWelcome(generation: 1, leaseSeconds: 1, heartbeatSeconds: -1, keep: [], kill: [])),
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
