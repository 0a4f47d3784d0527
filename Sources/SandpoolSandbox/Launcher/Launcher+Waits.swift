import Glibc
import LinuxSystem

/// Starts that wait, for a disk of their own or for a network that takes a process, without anybody else waiting with
/// them.
extension Launcher {
    /// Whether there can be such disks on this host.
    var makesDisks: Bool { rights.makesDisks && (disks.imagesBecause == nil || DiskImage.isPossible) }

    /// Makes it, at once where there is nothing to wait for.
    func start(_ sandbox: RunningSandbox, _ job: LauncherJob) throws(StageError) {
        if WritableLayer.fitsMemory(sandbox.plan.limits) { return try connect(sandbox, job) }
        guard rights.makesDisks else {
            throw StageError("disk", "without root, the disk has to be smaller than the memory", kind: .spec)
        }
        beginWait(sandbox, for: "disk")
        disks.take(bytes: sandbox.plan.limits.diskBytes) { [unowned self] outcome in
            // Cancelled meanwhile.
            guard case .waiting = sandbox.state else { return _ = outcome.map(disks.release) }
            go(on: sandbox) { () throws(StageError) in
                var job = job
                job.disk = try outcome.get()
                try connect(sandbox, job)
            }
        }
    }

    private func connect(_ sandbox: RunningSandbox, _ job: LauncherJob) throws(StageError) {
        let giveUp: (() -> Void)?
        do throws(NetworkError) {
            giveUp = try network.prepare(sandbox.plan.network, sandbox: sandbox.id) { [unowned self] outcome in
                go(on: sandbox) { () throws(StageError) in
                    var job = job
                    do throws(NetworkError) { job.network = try outcome.get() } catch {
                        giveBack(job)
                        throw StageError(error)
                    }
                    try build(sandbox, job)
                }
            }
        } catch {
            giveBack(job)
            throw StageError(error)
        }
        guard let giveUp else { return try build(sandbox, job) }
        beginWait(sandbox, for: "network")
        sandbox.endWait = { [unowned self] in
            giveUp()
            giveBack(job)
        }
    }

    private func beginWait(_ sandbox: RunningSandbox, for what: String) {
        sandbox.state = .waiting
        enlist(sandbox)
        sandbox.deadline.map(loop.cancel)
        sandbox.deadline = loop.schedule(at: BoottimeClock.milliseconds() + Self.setupLimitMs) { [unowned self] in
            let seconds = Self.setupLimitMs / 1_000
            giveUp(sandbox, StageError(what, "no \(what) was ready within \(seconds) s", code: ETIMEDOUT).failure)
        }
    }

    private func go(on sandbox: RunningSandbox, _ body: () throws(StageError) -> Void) {
        sandbox.deadline.map(loop.cancel)
        sandbox.endWait = nil
        sandbox.state = .starting
        do throws(StageError) { try body() } catch { tellFailure(sandbox, error.failure) }
    }

    /// Ends the wait of one that is to be killed.
    func giveUp(_ sandbox: RunningSandbox) { giveUp(sandbox, failure(of: sandbox)) }

    private func giveUp(_ sandbox: RunningSandbox, _ failure: SandboxFailure) {
        guard case .waiting = sandbox.state else { return }
        sandbox.deadline.map(loop.cancel)
        sandbox.endWait?()
        sandbox.endWait = nil
        sandbox.state = .starting
        tellFailure(sandbox, failure)
    }
}
