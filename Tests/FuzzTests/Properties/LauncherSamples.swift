@testable import SandpoolSandbox

/// A message of each kind, with each field at a value of its own.
enum LauncherSamples {
    static let requests: [LauncherRequest] = [
        .hello(version: LauncherProtocol.version), .start(id: "sb-1"), .signal(id: "sb-1", signal: 64),
        .closeInput(id: "sb-1"), .cancel(id: "sb-1", graceMs: .max), .release(id: "sb-1"),
        .importLayer(layer: "l"), .removeLayer(layer: "l"), .listLayers, .dismiss,
        .exec(id: "ex-1", sandbox: "sb-1"),
    ]

    static let report = ExitReport(
        end: .signaled(signal: 9), reason: .timeout, oomKills: 1, cpuMs: 2, wallMs: 3, peakMemoryBytes: 4,
        stdoutBytes: 5, stderrBytes: 6, outputTruncated: true, stalledMs: 7, diskBytes: 8, inodes: 9, diskFull: true,
        setupMicros: 10, downloadMessage: "d", changedMounts: .max - 4)

    static let events: [LauncherEvent] = [
        .welcome(version: LauncherProtocol.version, bootID: "b", hostFingerprint: "f", makesDisks: true, instance: "i"),
        .refused(message: "no"),
        .starting(id: "sb-1"), .adopted(id: "sb-1", startedBoottimeMs: 1), .started(id: "sb-1", startedBoottimeMs: 2),
        .failed(id: "sb-1", failure: .init(stage: "exec", errno: -1, message: "m", kind: .spec)),
        .exited(id: "sb-1", report: report),
        .exited(id: "sb-2", report: ExitReport(end: .exited(code: 3), reason: .none)),
        .exited(id: "sb-3", report: ExitReport(end: .killed, reason: .cancelled)),
        .layerReady(layer: "l", bytes: 3), .layerFailed(layer: "l", message: "m"), .layers(["a", "b"]),
    ]

    static let execPlans: [ExecPlan] = [
        ExecPlan(
            id: "ex-1", arguments: ["sh", "-c", "echo ä"], environment: ["A=1", "B="], workingDirectory: "/w",
            user: "nobody", stdin: .pipe, timeoutMs: 300_000, graceMs: 10_000, outputBytes: 1 << 30,
            backlogBytes: 64 << 20),
        ExecPlan(
            id: "ex-2", arguments: ["true"], environment: [], workingDirectory: "/", user: "0", stdin: .none,
            timeoutMs: 0, graceMs: 0, outputBytes: 0, backlogBytes: 4_096),
    ]

    static let plans: [SandboxPlan] = [
        SandboxPlan(
            id: "sb-1", arguments: ["sh", "-c", "echo ä"], environment: ["A=1", "B="], workingDirectory: "/w",
            user: "nobody", hostname: "h", root: .layers(["a", "b"]),
            mounts: [.init(layer: "l", path: "/m/n", isFile: true)],
            limits: .init(
                memoryBytes: 1 << 30, cpuMillis: 1_000, pids: 1_024, diskBytes: 512 << 20, outputBytes: 1 << 30),
            timers: .init(timeoutMs: 300_000, graceMs: 10_000, idleMs: 7),
            network: .open(allowCIDRs: ["1.2.3.4/32"], allowDomains: ["x.org"], openedCIDRs: []),
            capabilities: .build, stdin: .pipe, downloads: ["/out"]),
        SandboxPlan(
            id: "sb-2", arguments: ["true"], environment: [], workingDirectory: "/", user: "0", hostname: "h",
            root: .scratch, mounts: [],
            limits: .init(memoryBytes: 1 << 20, cpuMillis: 10, pids: 2, diskBytes: 64 << 10, outputBytes: 0),
            timers: .init(timeoutMs: 0, graceMs: 0, idleMs: 0), network: .blocked, capabilities: .run, stdin: .none,
            downloads: ["/ab/\u{301}c/..d"]),
    ]
}
