import SandpoolModel
import SandpoolProbes
import SandpoolSandbox

/// The plan of a sandbox that is attacked from inside: small, and otherwise as a job's.
struct ProbePlan {
    var user: Int
    var isNetworkOpen: Bool
    /// Whether limits may be left out where the host has none, as with jobs.
    var leavesOutLimits = false
    /// Named ones, else the quick ones.
    var only: [String] = []

    private static let timeoutMs: UInt64 = 60_000
    private static let outputBytes: UInt64 = 1 << 20

    var network: String { isNetworkOpen ? "open" : "blocked" }

    /// - Parameters:
    ///   - id: a launcher's id that no attempt has.
    ///   - bait: what it is to try to reach.
    func plan(id: String, layer: String, root: SandboxPlan.Root, bait: Surroundings) -> SandboxPlan {
        var around = bait
        around.isNetworkOpen = isNetworkOpen
        let arguments = around.arguments + only.flatMap { ["--only", $0] }
        return SandboxPlan(
            id: id, arguments: [ProbeArchive.program] + arguments,
            environment: ["PATH=\(PlanBuilder.Defaults.path)"], workingDirectory: "/", user: "\(user)",
            hostname: "verify", root: root,
            mounts: [SandboxPlan.TreeMount(layer: layer, path: ProbeArchive.directory, isFile: false)],
            limits: SandboxPlan.Limits(
                memoryBytes: UInt64(around.memoryBytes), cpuMillis: PlanBuilder.Defaults.cpuMillis,
                pids: UInt32(around.pids), diskBytes: UInt64(around.diskBytes), outputBytes: Self.outputBytes),
            timers: SandboxPlan.Timers(timeoutMs: Self.timeoutMs, graceMs: 0, idleMs: 0),
            network: isNetworkOpen ? .open(allowCIDRs: [], allowDomains: [], openedCIDRs: []) : .blocked,
            capabilities: .run, stdin: .none, downloads: [], leavesOutLimits: leavesOutLimits)
    }
}
