import SandpoolSandbox

extension SandboxPlan {
    /// A plan with everything ordinary but what a test names.
    static func test(
        _ arguments: String..., id: String = "test", environment: [String] = [], workingDirectory: String = "/",
        user: String = "0", root: Root = .host, mounts: [TreeMount] = [], memory: UInt64 = 256 << 20,
        pids: UInt32 = 128, disk: UInt64 = 64 << 20, output: UInt64 = 16 << 20, timeoutMs: UInt64 = 60_000,
        graceMs: UInt64 = 10_000, idleMs: UInt64 = 0, capabilities: CapabilityProfile = .run,
        stdin: StandardInput = .none, downloads: [String] = [],
        onOutputLimit: OutputLimitAction = .truncate
    ) -> SandboxPlan {
        SandboxPlan(
            id: id, arguments: arguments,
            environment: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"] + environment,
            workingDirectory: workingDirectory, user: user, hostname: "box", root: root, mounts: mounts,
            limits: Limits(memoryBytes: memory, cpuMillis: 2_000, pids: pids, diskBytes: disk, outputBytes: output),
            timers: Timers(timeoutMs: timeoutMs, graceMs: graceMs, idleMs: idleMs), network: .blocked,
            capabilities: capabilities, stdin: stdin, downloads: downloads,
            onOutputLimit: onOutputLimit)
    }

    static func shell(_ script: String, id: String = "test") -> SandboxPlan { .test("/bin/sh", "-c", script, id: id) }
}
