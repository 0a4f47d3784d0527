import SandpoolAPI
import SandpoolCoordinator
import SandpoolModel
import SandpoolStore

/// Where a broken variant takes hold of what passes.
extension Simulation {
    func altered(_ welcome: WorkerWelcome) -> WorkerWelcome {
        var welcome = welcome
        switch variant {
        case .killOfUnknownSkipped: welcome.kill = []
        case .replacedTooEarly: welcome.replaceSeconds = welcome.replaceSeconds.map { $0 * 4 }
        case .outputResumedAhead:
            welcome.keep = welcome.keep.map { held in
                var held = held
                held.stdoutBytes += 1
                return held
            }
        default: break
        }
        return welcome
    }

    func altered(_ message: CoordinatorMessage, for host: Int) -> CoordinatorMessage {
        switch (variant, message) {
        case (.leaseCountedFromReceipt, .heartbeat): .heartbeat(sentMs: hosts[host].clock.uptimeMs(at: now))
        case (.killOfUnknownSkipped, .kill(let lease)), (.cancelUnheard, .cancel(let lease)):
            .signal(lease, signal: 0)
        case (.fencedUnheard, .recorded(let results)): .recorded(results.filter { $0.verdict != .fenced })
        default: message
        }
    }

    func altered(_ event: CoordinatorState.Event) -> CoordinatorState.Event {
        guard variant == .inventoryIgnored, case .opened(let session, var hello, let token) = event else {
            return event
        }
        hello.held = []
        return .opened(session, hello, token: token)
    }

    func altered(_ moment: Moment, for event: CoordinatorState.Event) -> Moment {
        guard variant == .recoveryWindowSkipped, case .recovered = event else { return moment }
        var moment = moment
        moment.uptimeMs -= 3_600_000
        return moment
    }

    /// Whether a conversation's alarm rings.
    func isHeard(_ conversation: Conversation) -> Bool {
        switch (variant, conversation) {
        case (.queueNeverWakes, .queue), (.quarantineNeverEnds, .quarantines): false
        default: true
        }
    }

    /// What the store would check is undone before it looks.
    func breakFence(for reports: [ResultReport]) {
        for report in reports {
            guard let state = coordinator.store.attempts[report.lease.attempt]?.state else { continue }
            switch (variant, state) {
            case (.fenceRemoved, .lost), (.fenceRemoved, .superseded), (.duplicateTakenAsNew, .finished):
                coordinator.store.attempts[report.lease.attempt]?.state = .running
            default: break
            }
        }
    }

    func stored(_ spec: JobSpec) -> JobSpec {
        var spec = spec
        if variant == .rerunAlwaysSafe { spec.rerun = .safe }
        return spec
    }

    func forgetCancel(of job: JobID) {
        if variant == .cancelForgotten { coordinator.store.jobs[job]?.isCancelRequested = false }
    }
}
