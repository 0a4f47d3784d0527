import Testing

@testable import SandpoolSandbox

/// What is written is read again, and no bytes whatever end the reader.
@Suite struct CodecTests {
    static let plans: [SandboxPlan] = [
        SandboxPlan(
            id: "sb-1", arguments: ["sh", "-c", "echo ä"], environment: ["A=1", "B="], workingDirectory: "/w",
            user: "nobody", hostname: "h", root: .layers(["a", "b"]),
            mounts: [.init(layer: "l", path: "/m", isFile: true)],
            limits: .init(memoryBytes: .max, cpuMillis: 1, pids: 2, diskBytes: 3, outputBytes: 4),
            timers: .init(timeoutMs: 5, graceMs: 6, idleMs: 7),
            network: .open(allowCIDRs: ["1.2.3.4/32"], allowDomains: ["x.org"], openedCIDRs: []),
            capabilities: .build, stdin: .pipe, downloads: ["/out"], onOutputLimit: .end, leavesOutLimits: true),
        SandboxPlan(
            id: "", arguments: [], environment: [], workingDirectory: "", user: "", hostname: "", root: .host,
            mounts: [], limits: .init(memoryBytes: 0, cpuMillis: 0, pids: 0, diskBytes: 0, outputBytes: 0),
            timers: .init(timeoutMs: 0, graceMs: 0, idleMs: 0), network: .blocked, capabilities: .run, stdin: .none,
            downloads: []),
    ]

    static let requests: [LauncherRequest] = [
        .hello(version: 1), .start(id: "a"), .signal(id: "a", signal: 64), .closeInput(id: "a"),
        .cancel(id: "a", graceMs: .max), .release(id: "a"), .importLayer(layer: "l"), .removeLayer(layer: "l"),
        .listLayers, .dismiss, .exec(id: "a", sandbox: "b"),
    ]

    static let events: [LauncherEvent] = [
        .welcome(version: 1, bootID: "b", hostFingerprint: "f", makesDisks: false, instance: "i"),
        .refused(message: "no"),
        .starting(id: "a"), .adopted(id: "a", startedBoottimeMs: 1), .started(id: "a", startedBoottimeMs: 2),
        .failed(id: "a", failure: .init(stage: "exec", errno: -1, message: "m", kind: .spec)),
        .exited(
            id: "a",
            report: ExitReport(
                end: .signaled(signal: 9), reason: .timeout, oomKills: 1, cpuMs: 2, wallMs: 3, peakMemoryBytes: 4,
                stdoutBytes: 5, stderrBytes: 6, outputTruncated: true, stalledMs: 7, diskBytes: 8, inodes: 9,
                diskFull: true, setupMicros: 10, downloadMessage: "d", changedMounts: .max - 4,
                leftOutLimits: true, writableLayer: .loop, inodesFull: true, networkInterruptions: 3,
                networkLost: true, hostDiskFull: true)),
        .exited(id: "a", report: ExitReport(end: .killed, reason: .none, writableLayer: .projectQuota)),
        .layerReady(layer: "l", bytes: 3), .layerFailed(layer: "l", message: "m"), .layers(["a", "b"]),
    ]

    @Test(arguments: plans) func plansComeBack(plan: SandboxPlan) throws {
        try #expect(SandboxPlan(decoding: plan.encoded()) == plan)
    }

    static let execPlans: [ExecPlan] = [
        ExecPlan(
            id: "ex-1", arguments: ["sh", "-c", "echo ä"], environment: ["A=1", "B="], workingDirectory: "/w",
            user: "nobody", stdin: .pipe, timeoutMs: 1, graceMs: 2, outputBytes: 3, backlogBytes: 4),
        ExecPlan(
            id: "", arguments: [], environment: [], workingDirectory: "", user: "", stdin: .none, timeoutMs: 0,
            graceMs: .max, outputBytes: .max, backlogBytes: .max),
    ]

    @Test(arguments: execPlans) func plansOfFurtherCommandsComeBack(plan: ExecPlan) throws {
        let bytes = plan.encoded()
        try #expect(ExecPlan(decoding: bytes) == plan)
        var outline = plan
        (outline.arguments, outline.environment) = ([], [])
        try #expect(ExecPlan(decoding: bytes, withCommand: false) == outline)
        for count in 0..<bytes.count {
            #expect(throws: CodecError.self) { try ExecPlan(decoding: Array(bytes[..<count])) }
        }
    }

    @Test(arguments: plans) func anOutlineLeavesOutTheCommandAlone(plan: SandboxPlan) throws {
        var outline = plan
        (outline.arguments, outline.environment) = ([], [])
        try #expect(SandboxPlan(decoding: plan.encoded(), withCommand: false) == outline)
        let bytes = plan.encoded()
        for count in 0..<bytes.count {
            #expect(throws: CodecError.self) {
                try SandboxPlan(decoding: Array(bytes[..<count]), withCommand: false)
            }
        }
    }

    static let spoolerAnswers: [SpoolerAnswer] = {
        var counts = SpoolerCounts(token: 1)
        (counts.stdoutBytes, counts.stderrBytes, counts.truncated, counts.stalledMs) = (2, 3, true, 4)
        return [.finished(counts), .refused(token: 5), .limitReached(token: .max)]
    }()

    @Test(arguments: spoolerAnswers) func spoolerAnswersComeBack(answer: SpoolerAnswer) throws {
        let bytes = answer.encoded()
        try #expect(SpoolerAnswer(decoding: bytes) == answer)
        for count in 0..<bytes.count {
            #expect(throws: CodecError.self) { try SpoolerAnswer(decoding: Array(bytes[..<count])) }
        }
    }

    @Test(arguments: requests) func requestsComeBack(request: LauncherRequest) throws {
        try #expect(LauncherRequest(decoding: request.encoded()) == request)
    }

    @Test(arguments: events) func eventsComeBack(event: LauncherEvent) throws {
        try #expect(LauncherEvent(decoding: event.encoded()) == event)
    }

    /// Every shorter message is an error, and so is one byte more.
    @Test func cutMessagesAreErrors() {
        for bytes in Self.plans.map({ $0.encoded() }) {
            for count in 0..<bytes.count {
                #expect(throws: CodecError.self) { try SandboxPlan(decoding: Array(bytes[..<count])) }
            }
            #expect(throws: CodecError.self) { try SandboxPlan(decoding: bytes + [0]) }
        }
        for bytes in Self.events.map({ $0.encoded() }) {
            for count in 0..<bytes.count {
                #expect(throws: CodecError.self) { try LauncherEvent(decoding: Array(bytes[..<count])) }
            }
        }
    }

    /// Mutations from a seed: reading ends, with a value that is written back alike or with an error.
    @Test func mutatedMessagesAreReadOrRefused() throws {
        var state: UInt64 = 0x9e37_79b9_7f4a_7c15
        func random(_ bound: Int) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state % UInt64(bound))
        }
        let originals =
            Self.plans.map { $0.encoded() } + Self.requests.map { $0.encoded() } + Self.events.map { $0.encoded() }
        for _ in 0..<20_000 {
            var bytes = originals[random(originals.count)]
            for _ in 0...random(4) { bytes[random(bytes.count)] = UInt8(random(256)) }
            if let plan = try? SandboxPlan(decoding: bytes) {
                #expect(plan.encoded() == bytes)
                // What the launcher lets through and the sandbox reads has to be one plan.
                try #expect(SandboxPlan(decoding: bytes, withCommand: false).limits == plan.limits)
            }
            if let request = try? LauncherRequest(decoding: bytes) { #expect(request.encoded() == bytes) }
            if let event = try? LauncherEvent(decoding: bytes) { #expect(event.encoded() == bytes) }
        }
    }

    @Test func aHugeCountIsRefusedBeforeAnythingIsAllocated() {
        let bytes: [UInt8] = [9, 0xff, 0xff, 0xff, 0xff]
        #expect(throws: CodecError.self) { try LauncherEvent(decoding: bytes) }
    }
}
