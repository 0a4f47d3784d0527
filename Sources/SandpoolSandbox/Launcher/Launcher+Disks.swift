import Glibc
import LinuxSystem

/// Starts that wait for a disk of their own, without anybody else waiting with them.
extension Launcher {
    /// Whether there can be such disks on this host.
    var makesDisks: Bool { rights.makesDisks && (disks.imagesBecause == nil || DiskImage.isPossible) }

    func startWithDisk(
        _ plan: SandboxPlan, _ sealed: SealedPlan<SandboxPlan>?, downloadSink: FileDescriptor?
    ) throws(StageError) {
        guard rights.makesDisks else {
            throw StageError("disk", "without root, the disk has to be smaller than the memory", kind: .spec)
        }
        let sandbox = try register(plan)
        sandbox.state = .waiting
        sandbox.downloadSink = downloadSink
        enlist(sandbox)
        sandbox.deadline = loop.schedule(at: BoottimeClock.milliseconds() + Self.setupLimitMs) { [unowned self] in
            giveUp(sandbox)
        }
        disks.take(bytes: plan.limits.diskBytes) { [unowned self] outcome in go(on: sandbox, sealed, outcome) }
    }

    private func go(
        on sandbox: RunningSandbox, _ sealed: SealedPlan<SandboxPlan>?, _ outcome: Result<WritableDisk, StageError>
    ) {
        // Cancelled meanwhile.
        guard case .waiting = sandbox.state else { return _ = outcome.map(disks.release) }
        sandbox.deadline.map(loop.cancel)
        sandbox.state = .starting
        do throws(StageError) {
            let disk = try outcome.get()
            try build(sandbox, LauncherJob(sealed: sealed, disk: disk))
        } catch {
            tellFailure(sandbox, error.failure)
        }
    }

    /// Ends the wait for a disk.
    func giveUp(_ sandbox: RunningSandbox) {
        guard case .waiting = sandbox.state else { return }
        sandbox.deadline.map(loop.cancel)
        sandbox.state = .starting
        let failure =
            sandbox.reason == .cancelled || isEnding
            ? failure(of: sandbox)
            : StageError("disk", "no disk was ready within \(Self.setupLimitMs / 1_000) s", code: ETIMEDOUT).failure
        tellFailure(sandbox, failure)
    }
}
