import Glibc
import LinuxSystem

/// The floor of what a pool can reach on this host: the launcher alone, over and over the same plan, with
/// nothing around it.
final class FloorMeasurement {
    private let launcher: Launcher
    private let count: Int
    private var begun = 0
    private var ended = 0
    private var failed = 0

    init(_ launcher: Launcher, count: Int) {
        self.launcher = launcher
        self.count = count
    }

    /// Runs `count` sandboxes, `parallel` at once, and returns the line that reports it.
    func run(parallel: Int) throws(SystemError) -> String {
        launcher.tell = { [unowned self] event, _ in note(event) }
        let start = BoottimeClock.microseconds()
        for _ in 0..<min(parallel, count) { begin() }
        try launcher.loop.run()
        let elapsed = max(1, BoottimeClock.microseconds() - start)
        let rate = UInt64(count) * 1_000_000_000 / elapsed
        return "sandboxes \(count) seconds \(Self.thousandths(elapsed / 1_000)) rate \(Self.thousandths(rate))"
            + (failed == 0 ? "" : " failed \(failed)")
    }

    private func begin() {
        begun += 1
        launcher.start(Self.plan(number: begun), downloadSink: nil)
    }

    private func note(_ event: LauncherEvent) {
        switch event {
        case .exited(let id, let report):
            if report.end != .exited(code: 0) { failed += 1 }
            launcher.loop.afterEvents { [unowned self] in launcher.release(id) }
        case .failed(let id, let failure):
            failed += 1
            Diagnostics.write("\(id): \(failure.message)")
        default: return
        }
        ended += 1
        if ended == count { return launcher.loop.stop() }
        if begun < count { launcher.loop.afterEvents { [unowned self] in begin() } }
    }

    private static func thousandths(_ value: UInt64) -> String {
        let rest = String(value % 1_000)
        return "\(value / 1_000)." + String(repeating: "0", count: 3 - rest.count) + rest
    }

    private static func plan(number: Int) -> SandboxPlan {
        SandboxPlan(
            id: "floor-\(number)", arguments: ["true"],
            environment: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"], workingDirectory: "/",
            user: "0", hostname: "floor", root: .host, mounts: [],
            limits: SandboxPlan.Limits(
                memoryBytes: 1 << 30, cpuMillis: 1_000, pids: 1_024, diskBytes: 512 << 20, outputBytes: 1 << 30),
            timers: SandboxPlan.Timers(timeoutMs: 300_000, graceMs: 10_000, idleMs: 0), network: .blocked,
            capabilities: .run, stdin: .none, downloads: [], leavesOutLimits: true)
    }
}
