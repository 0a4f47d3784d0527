import LinuxSystem

/// Ends a launcher that a worker started and nobody needs any more.
final class IdleEnd {
    private let launcher: Launcher
    private let service: LauncherService
    private let milliseconds: UInt64
    private var token: EventLoop.TimerToken?

    init(_ launcher: Launcher, _ service: LauncherService, seconds: UInt64) {
        self.launcher = launcher
        self.service = service
        milliseconds = seconds * 1_000
        launcher.onChange = { [unowned self] in look() }
        look()
    }

    /// Without worker and sandboxes the time runs; it is looked at again when it is over. A launcher that was
    /// dismissed waits for its sandboxes alone.
    private func look() {
        token.map(launcher.loop.cancel)
        token = nil
        guard launcher.sandboxes.isEmpty else { return }
        if service.isDismissed { return launcher.loop.stop() }
        guard !service.hasWorker else { return }
        token = launcher.loop.schedule(at: BoottimeClock.milliseconds() + milliseconds) { [unowned self] in
            if !service.hasWorker, launcher.sandboxes.isEmpty { launcher.loop.stop() }
        }
    }
}
