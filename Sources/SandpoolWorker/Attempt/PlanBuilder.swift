import SandpoolAPI
import SandpoolModel
import SandpoolSandbox

/// Turns a job's spec into the plan that the launcher executes: pure, with every default in one place.
struct PlanBuilder: Sendable {
    /// Private networks that this worker opens to its sandboxes (`--egress-allow`).
    var openedCIDRs: [String] = []
    /// Whether limits that this host cannot enforce are left out; the pool has refused those that were asked for.
    var leavesOutLimits = false

    /// What stands in the spec when neither the user nor the pool said anything.
    enum Defaults {
        static let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        static let memoryBytes: UInt64 = 1 << 30
        static let cpuMillis: UInt32 = 1_000
        static let pids: UInt32 = 1_024
        static let diskBytes: UInt64 = 512 << 20
        static let outputBytes: UInt64 = 1 << 30
        /// What of each stream of a further command may wait for its client: a job can have many of them.
        static let execBacklogBytes: UInt64 = 64 << 20
        static let timeoutSeconds = 300.0
        static let graceSeconds = 10.0
    }

    /// - Parameter root: what the image was resolved to.
    func plan(for assignment: Assignment, root: SandboxPlan.Root) -> SandboxPlan {
        let spec = assignment.spec
        let user = spec.user ?? "0"
        return SandboxPlan(
            id: assignment.lease.attempt.text,
            arguments: spec.command,
            environment: environment(spec.environment, user: spec.user, job: assignment.job),
            workingDirectory: spec.workingDirectory ?? "/",
            user: user,
            hostname: assignment.job.short,
            root: root,
            mounts: spec.mounts.map {
                SandboxPlan.TreeMount(layer: LayerName.blob($0.blob), path: $0.path, isFile: $0.isFile)
            },
            limits: limits(spec.resources),
            timers: SandboxPlan.Timers(
                timeoutMs: Self.milliseconds(spec.timeoutSeconds ?? Defaults.timeoutSeconds),
                graceMs: Self.graceMs(spec.graceSeconds),
                idleMs: spec.idleTimeoutSeconds.map { max(1, Self.milliseconds($0)) } ?? 0),
            network: spec.network.isBlocked
                ? .blocked
                : .open(
                    allowCIDRs: spec.network.allowCIDRs, allowDomains: spec.network.allowDomains,
                    openedCIDRs: openedCIDRs),
            capabilities: .run,
            stdin: spec.stdin == .stream ? .pipe : .none,
            downloads: spec.downloads,
            onOutputLimit: spec.onOutputLimit == .end ? .end : .truncate, leavesOutLimits: leavesOutLimits)
    }

    /// A further command in the sandbox of `attempt`, which runs `job`.
    func plan(for exec: ExecAssignment, in attempt: LiveAttempt, job: JobID) -> ExecPlan {
        let spec = exec.spec
        return ExecPlan(
            id: exec.id.text,
            arguments: spec.command,
            environment: environment(spec.environment, user: spec.user, job: job),
            workingDirectory: spec.workingDirectory ?? "/",
            user: spec.user ?? "0",
            stdin: spec.stdin == .stream ? .pipe : .none,
            timeoutMs: spec.timeoutSeconds.map { max(1, Self.milliseconds($0)) } ?? 0,
            graceMs: attempt.graceMs,
            outputBytes: UInt64(clamping: Self.execOutputBytes(in: attempt)),
            backlogBytes: Defaults.execBacklogBytes)
    }

    /// Most bytes of a stream of a further command in the sandbox of `attempt`: the job's.
    static func execOutputBytes(in attempt: LiveAttempt) -> Int64 {
        attempt.outcomes.outputBytes ?? Int64(Defaults.outputBytes)
    }

    /// Sorted, so that the same spec always gives the same plan.
    private func environment(_ own: [String: String], user: String?, job: JobID) -> [String] {
        var variables = ["PATH": Defaults.path]
        // The home of anybody but root stands in the image's own passwd, which only the sandbox reads.
        if user == nil || user == "0" || user == "root" { variables["HOME"] = "/root" }
        variables.merge(own) { $1 }
        variables["SANDPOOL_JOB_ID"] = job.text
        return variables.map { "\($0.key)=\($0.value)" }.sorted()
    }

    private func limits(_ request: ResourceRequest) -> SandboxPlan.Limits {
        SandboxPlan.Limits(
            memoryBytes: request.memoryBytes.map(UInt64.init(clamping:)) ?? Defaults.memoryBytes,
            cpuMillis: request.cpus.map { UInt32(Self.clamp($0 * 1_000, to: 4e9)) } ?? Defaults.cpuMillis,
            pids: request.pids.map(UInt32.init(clamping:)) ?? Defaults.pids,
            diskBytes: request.diskBytes.map(UInt64.init(clamping:)) ?? Defaults.diskBytes,
            outputBytes: request.outputBytes.map(UInt64.init(clamping:)) ?? Defaults.outputBytes)
    }

    /// Between SIGTERM and the kill.
    static func graceMs(_ seconds: Double?) -> UInt64 { milliseconds(seconds ?? Defaults.graceSeconds) }

    private static func milliseconds(_ seconds: Double) -> UInt64 { UInt64(clamp(seconds * 1_000, to: 1e15)) }

    /// NaN and negatives become 0; nothing a peer sends may trap.
    private static func clamp(_ value: Double, to limit: Double) -> Double {
        value > 0 ? min(value.rounded(), limit) : 0
    }
}

/// Names of layers in the launcher's storage.
enum LayerName {
    /// `bl-` and the first 40 hexadecimal digits of an uploaded tree's digest.
    static func blob(_ digest: String) -> String {
        let digits = digest.drop { $0 != ":" }.dropFirst()
        return "bl-\(digits.prefix(40))"
    }
}
