import SandpoolAPI
import SandpoolModel
import Testing

/// A value and the exact JSON that stands for it on the wire. Whoever changes the JSON changes the protocol, and has
/// to count its version up.
struct Golden<Value: Codable & Hashable & Sendable>: Sendable, CustomTestStringConvertible {
    let value: Value
    let json: String

    init(_ value: Value, _ json: String) {
        self.value = value
        self.json = json
    }

    var testDescription: String { String(json.prefix(24)) }

    func check(sourceLocation: SourceLocation = #_sourceLocation) throws {
        #expect(try WireJSON.text(value) == json, sourceLocation: sourceLocation)
        #expect(try WireJSON.decode(Value.self, from: json.utf8) == value, sourceLocation: sourceLocation)
    }
}

/// Values for golden messages.
enum Fixed {
    static let attempt = AttemptID("at-01jd8000000000000000000001")!
    static let job = JobID("sb-01jd8000000000000000000002")!
    static let worker = WorkerID("wk-01jd8000000000000000000003")!
    static let exec = ExecID("ex-01jd8000000000000000000004")!
    static let lease = AttemptLease(attempt: attempt, epoch: 7)
    static let leaseJSON = #"{"attempt":"at-01jd8000000000000000000001","epoch":7}"#
    static let moment = Timestamp(milliseconds: 1_732_320_000_123)
    static let momentJSON = #""2024-11-23T00:00:00.123Z""#
    static let specJSON = #"{"command":["echo","a/b"]}"#

    static let finishedJob = Job(
        id: job, name: "n", tags: ["k": "v"], state: .failed, returnCode: 3, exitCode: 3, cause: .exited, fault: .user,
        message: "m", command: ["echo", "a/b"], image: "host", worker: worker,
        attempts: [
            Attempt(
                id: attempt, worker: worker, epoch: 7, state: .finished, outcome: Outcome(cause: .exited, exitCode: 3),
                evidence: Evidence(), createdAt: moment, startedAt: moment, finishedAt: moment)
        ],
        spec: JobSpec(command: ["echo", "a/b"]), createdAt: moment, startedAt: moment, finishedAt: moment)
    static let finishedJobJSON =
        #"{"attempts":[{"createdAt":\#(momentJSON),"epoch":7,"#
        + #""evidence":{"outputTruncated":false,"stagesMs":{},"stalledMs":0,"stderrBytes":0,"stdoutBytes":0},"#
        + #""finishedAt":\#(momentJSON),"id":"at-01jd8000000000000000000001","#
        + #""outcome":{"cause":"exited","commandStarted":true,"exitCode":3,"isRetryable":true},"#
        + #""startedAt":\#(momentJSON),"state":"finished","worker":"wk-01jd8000000000000000000003"}],"#
        + #""cause":"exited","command":["echo","a/b"],"createdAt":\#(momentJSON),"exitCode":3,"fault":"user","#
        + #""finishedAt":\#(momentJSON),"id":"sb-01jd8000000000000000000002","image":"host","message":"m","#
        + #""name":"n","returnCode":3,"spec":\#(specJSON),"startedAt":\#(momentJSON),"state":"failed","#
        + #""tags":{"k":"v"},"worker":"wk-01jd8000000000000000000003"}"#
}
