import SandpoolAPI
import SandpoolModel
import Testing

@Suite struct WorkerMessageTests {
    private static let hello = WorkerHello(
        id: Fixed.worker, name: "host-1", bootID: "b0", capacity: Resources(cpuMillis: 1, memoryBytes: 2, diskBytes: 3),
        labels: ["zone": "a/b"], images: ["host"], offersHostImage: true,
        held: [HeldAttempt(lease: Fixed.lease, state: .running, stdoutBytes: 4, stderrBytes: 5)],
        softwareVersion: "0.1.0")

    /// Keys that an older worker does not send.
    private static let later: WorkerHello = {
        var later = hello
        (later.held, later.labels, later.makesDisks) = ([], [:], false)
        (later.process, later.returned) = ("5f", [Fixed.lease])
        return later
    }()

    private static let result: AttemptResult = {
        var evidence = Evidence()
        evidence.reapedBy = "init"
        evidence.wallMs = 12
        evidence.stdoutDigest = "sha256:" + String(repeating: "1", count: 64)
        evidence.stagesMs = ["prepare": 3]
        return AttemptResult(
            lease: Fixed.lease, outcome: Outcome(cause: .exited, exitCode: 3, message: "m"), evidence: evidence,
            startedAt: Fixed.moment, finishedAt: Fixed.moment, stdoutTail: OutputTail(offset: 9, base64: "aGk="),
            downloads: "sha256:" + String(repeating: "0", count: 64))
    }()

    private static let least = AttemptResult(
        lease: Fixed.lease,
        outcome: Outcome(cause: .signaled, signal: 9, commandStarted: false, isRetryable: false),
        evidence: Evidence(), startedAt: nil, finishedAt: Fixed.moment)

    static let goldens: [Golden<WorkerMessage>] = [
        Golden(
            .hello(hello),
            #"{"hello":{"_0":{"bootID":"b0","capacity":{"cpuMillis":1,"diskBytes":3,"memoryBytes":2},"#
                + #""held":[{"lease":\#(Fixed.leaseJSON),"state":"running","stderrBytes":5,"stdoutBytes":4}],"#
                + #""id":"wk-01jd8000000000000000000003","images":["host"],"labels":{"zone":"a/b"},"name":"host-1","#
                + #""offersHostImage":true,"softwareVersion":"0.1.0","version":3}}}"#),
        Golden(
            .hello(later),
            #"{"hello":{"_0":{"bootID":"b0","capacity":{"cpuMillis":1,"diskBytes":3,"memoryBytes":2},"held":[],"#
                + #""id":"wk-01jd8000000000000000000003","images":["host"],"labels":{},"makesDisks":false,"#
                + #""name":"host-1","offersHostImage":true,"process":"5f","returned":[\#(Fixed.leaseJSON)],"#
                + #""softwareVersion":"0.1.0","version":3}}}"#),
        Golden(
            .progress([AttemptProgress(lease: Fixed.lease, state: .building, at: Fixed.moment)]),
            #"{"progress":{"_0":[{"at":\#(Fixed.momentJSON),"lease":\#(Fixed.leaseJSON),"state":"building"}]}}"#),
        Golden(
            .results([result, least]),
            #"{"results":{"_0":[{"downloads":"sha256:\#(String(repeating: "0", count: 64))","#
                + #""evidence":{"outputTruncated":false,"reapedBy":"init","stagesMs":{"prepare":3},"stalledMs":0,"#
                + #""stderrBytes":0,"stdoutBytes":0,"#
                + #""stdoutDigest":"sha256:\#(String(repeating: "1", count: 64))","wallMs":12},"#
                + #""finishedAt":\#(Fixed.momentJSON),"#
                + #""lease":\#(Fixed.leaseJSON),"#
                + #""outcome":{"cause":"exited","commandStarted":true,"exitCode":3,"isRetryable":true,"message":"m"},"#
                + #""startedAt":\#(Fixed.momentJSON),"stdoutTail":{"base64":"aGk=","offset":9}},"#
                + #"{"evidence":{"outputTruncated":false,"stagesMs":{},"stalledMs":0,"stderrBytes":0,"stdoutBytes":0},"#
                + #""finishedAt":\#(Fixed.momentJSON),"lease":\#(Fixed.leaseJSON),"#
                + #""outcome":{"cause":"signaled","commandStarted":false,"isRetryable":false,"signal":9}}]}}"#),
        Golden(.returned([Fixed.lease]), #"{"returned":{"_0":[\#(Fixed.leaseJSON)]}}"#),
        Golden(.heartbeat(sentMs: 42), #"{"heartbeat":{"sentMs":42}}"#),
        Golden(
            .inputConsumed(Fixed.lease, offset: 10), #"{"inputConsumed":{"_0":\#(Fixed.leaseJSON),"offset":10}}"#),
        Golden(.execStarted(Fixed.exec), #"{"execStarted":{"_0":"ex-01jd8000000000000000000004"}}"#),
        Golden(
            .execInputConsumed(Fixed.exec, offset: 10),
            #"{"execInputConsumed":{"_0":"ex-01jd8000000000000000000004","offset":10}}"#),
        Golden(
            .execEnded(
                ExecResult(
                    id: Fixed.exec, outcome: Outcome(cause: .exited, exitCode: 3), stdoutBytes: 1, stderrBytes: 2)),
            #"{"execEnded":{"_0":{"id":"ex-01jd8000000000000000000004","#
                + #""outcome":{"cause":"exited","commandStarted":true,"exitCode":3,"isRetryable":true},"#
                + #""stderrBytes":2,"stdoutBytes":1}}}"#),
    ]

    @Test(arguments: goldens)
    func jsonIsExactlyThisAndWithinBounds(golden: Golden<WorkerMessage>) throws {
        try golden.check()
        try golden.value.check()
    }

    @Test func everyCaseIsCovered() {
        let covered = Self.goldens.map { golden in
            switch golden.value {
            case .hello: 0
            case .progress: 1
            case .results: 2
            case .returned: 3
            case .heartbeat: 4
            case .inputConsumed: 5
            case .execStarted: 6
            case .execInputConsumed: 7
            case .execEnded: 8
            }
        }
        #expect(Set(covered) == Set(0...8))
    }

    @Test(arguments: [
        { $0.name = "" }, { $0.name = String(repeating: "n", count: 257) }, { $0.name = "a\u{1B}[2J" },
        { $0.bootID = "" }, { $0.bootID = String(repeating: "b", count: 65) },
        { $0.process = String(repeating: "p", count: 65) },
        { $0.returned = [AttemptLease(attempt: $0.held[0].lease.attempt, epoch: -1)] },
        { $0.returned = Array(repeating: $0.held[0].lease, count: SessionLimits.attempts + 1) },
        { $0.softwareVersion = String(repeating: "v", count: 65) },
        { $0.capacity.cpuMillis = -1 }, { $0.capacity.memoryBytes = .max }, { $0.capacity.diskBytes = .min },
        { $0.labels = ["": "a"] }, { $0.labels = ["a b": "a"] }, { $0.labels = ["a": "b\n"] },
        { $0.labels = ["a": String(repeating: "v", count: 256)] },
        { hello in for number in 0...SessionLimits.labels { hello.labels["l\(number)"] = "" } },
        { $0.images = [String(repeating: "i", count: 513)] },
        { $0.images = Array(repeating: "host", count: SessionLimits.images + 1) },
        { $0.held += $0.held }, { $0.held[0].stdoutBytes = -1 }, { $0.held[0].stderrBytes = .max },
        { $0.held[0].lease.epoch = -1 },
        { $0.held = Array(repeating: $0.held[0], count: SessionLimits.attempts + 1) },
    ] as [@Sendable (inout WorkerHello) -> Void])
    func aHelloThatCannotBeIsRefusedInOneLine(edit: @Sendable (inout WorkerHello) -> Void) throws {
        var hello = Self.hello
        edit(&hello)
        let message = hello
        let error = #expect(throws: APIError.self) { try WorkerMessage.hello(message).check() }
        #expect(error?.code == "invalid_message")
        #expect(error?.message.hasPrefix("hello.") == true)
        #expect(error?.message.contains("\n") == false)
    }

    @Test(arguments: [
        { $0.outcome.exitCode = 256 }, { $0.outcome.exitCode = -1 }, { $0.outcome.exitCode = nil },
        { $0.outcome.signal = 9 }, { $0.outcome = Outcome(cause: .signaled, signal: 65) },
        { $0.outcome.message = String(repeating: "m", count: SessionLimits.messageBytes + 1) },
        { $0.stdoutBytes = -1 }, { $0.stderrBytes = .max },
    ] as [@Sendable (inout ExecResult) -> Void])
    func anExecCannotEndSo(edit: @Sendable (inout ExecResult) -> Void) {
        var result = ExecResult(
            id: Fixed.exec, outcome: Outcome(cause: .exited, exitCode: 0), stdoutBytes: 0, stderrBytes: 0)
        edit(&result)
        let message = result
        let error = #expect(throws: APIError.self) { try WorkerMessage.execEnded(message).check() }
        #expect(error?.code == "invalid_message" && error?.message.hasPrefix("execEnded") == true)
    }

    @Test(arguments: [-1, .min, .max] as [Int64])
    func anExecsInputIsConsumedWhereItCanBe(offset: Int64) {
        #expect(throws: APIError.self) { try WorkerMessage.execInputConsumed(Fixed.exec, offset: offset).check() }
    }
}
