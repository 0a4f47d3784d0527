import SandpoolAPI
import SandpoolModel
import Testing

@Suite struct RunMessageTests {
    static let requests: [Golden<RunRequest>] = [
        Golden(.submit(JobSpec(command: ["echo", "a/b"])), #"{"submit":{"_0":\#(Fixed.specJSON)}}"#),
        Golden(
            .follow(job: "@last", stdout: 1, stderr: .max),
            #"{"follow":{"job":"@last","stderr":9223372036854775807,"stdout":1}}"#),
        Golden(.signal(2), #"{"signal":{"_0":2}}"#),
        Golden(.cancel, #"{"cancel":{}}"#),
        Golden(.detach, #"{"detach":{}}"#),
    ]

    @Test(arguments: requests)
    func aRequestIsExactlyThis(golden: Golden<RunRequest>) throws {
        try golden.check()
        try golden.value.check()
    }

    static let events: [Golden<RunEvent>] = [
        Golden(
            .created(id: Fixed.job, name: "n"),
            #"{"created":{"id":"sb-01jd8000000000000000000002","name":"n"}}"#),
        Golden(.created(id: Fixed.job, name: nil), #"{"created":{"id":"sb-01jd8000000000000000000002"}}"#),
        Golden(.state(.queued, note: "why"), #"{"state":{"_0":"queued","note":"why"}}"#),
        Golden(.state(.timedOut, note: nil), #"{"state":{"_0":"timed_out"}}"#),
        Golden(
            .state(.running, note: nil, attempt: AttemptID("at-00000000000000000000000000")),
            #"{"state":{"_0":"running","attempt":"at-00000000000000000000000000"}}"#),
        Golden(.inputConsumed(5), #"{"inputConsumed":{"_0":5}}"#),
        Golden(
            .failed(APIError(status: 0, code: "not_found", message: "m")),
            #"{"failed":{"_0":{"code":"not_found","message":"m"}}}"#),
        Golden(.finished(Fixed.finishedJob), #"{"finished":{"_0":\#(Fixed.finishedJobJSON)}}"#),
    ]

    @Test(arguments: events)
    func anEventIsExactlyThis(golden: Golden<RunEvent>) throws { try golden.check() }

    @Test func everyCaseIsCovered() {
        let requests = Self.requests.map { golden in
            switch golden.value {
            case .submit: 0
            case .follow: 1
            case .signal: 2
            case .cancel: 3
            case .detach: 4
            }
        }
        let events = Self.events.map { golden in
            switch golden.value {
            case .created: 0
            case .state: 1
            case .inputConsumed: 2
            case .finished: 3
            case .failed: 4
            }
        }
        #expect(Set(requests) == Set(0...4) && Set(events) == Set(0...4))
    }

    @Test(arguments: [
        .follow(job: "@last", stdout: -1, stderr: 0), .follow(job: "@last", stdout: 0, stderr: .min),
        .follow(job: String(repeating: "j", count: 513), stdout: 0, stderr: 0),
    ] as [RunRequest])
    func whatCannotBeFollowedIsRefused(request: RunRequest) {
        #expect(throws: APIError.self) { try request.check() }
    }
}
