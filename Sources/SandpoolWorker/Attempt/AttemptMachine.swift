import SandpoolAPI
import SandpoolModel

/// How an attempt ended, before it becomes a result.
struct AttemptEnd: Hashable, Sendable {
    var outcome: Outcome
    var evidence: Evidence
    var finishedAt: Timestamp
}

/// The life of one attempt on this worker: a value that takes events and returns what has to be done.
///
/// ```
/// preparing ──► launching ──► running ──► collecting ──► journaling ──► reporting ──► gone
///     │             │            └───────────────────────────▲   ▲
///     │             └────────────────────────────────────────┴───┘   (failed, cancelled)
///     └──► gone                                                      (returned, killed)
/// ```
///
/// A lease that the coordinator does not want any more (`kill`) leads to `gone`, by way of `killing` while a sandbox
/// exists. Only what has ended is reported all the same, and the coordinator keeps it aside: a result that is in the
/// journal, or on its way there, goes when the coordinator has answered it and not before.
struct AttemptMachine: Hashable, Sendable {
    enum Phase: Hashable, Sendable {
        /// Mounts and the image are fetched or built. Nothing of it exists in the launcher.
        case preparing
        /// The launcher was asked; it answers `started` or `failed`.
        case launching
        case running
        /// The sandbox ended; what the spec keeps of its files is uploaded.
        case collecting(AttemptEnd)
        /// The result is on its way to disk.
        case journaling(AttemptEnd)
        /// The result is in the journal; the coordinator is told until it answers.
        case reporting
        /// Nobody wants the result; the sandbox is being killed.
        case killing
        /// Nothing is left to do.
        case gone
    }

    enum Event: Hashable, Sendable {
        case prepared
        /// Building began, which counts as a state of its own.
        case building
        /// Fetching or building failed.
        case preparationFailed(AttemptEnd)
        case started
        /// The launcher could not start the command; nothing of it exists.
        case launchFailed(AttemptEnd)
        /// The sandbox ended. `hasDownloads`: an archive waits to be uploaded.
        case exited(AttemptEnd, hasDownloads: Bool)
        case collected
        case journaled
        /// The disk refused the journal record.
        case journalFailed
        /// The launcher is gone and every sandbox with it.
        case launcherLost(AttemptEnd)
        /// The launcher has it, says a new connection: what the last one was asked for may not have arrived.
        case found(graceMs: UInt64)
        /// The user does not want it to go on. The end is how it ends if nothing ran.
        case cancel(AttemptEnd, graceMs: UInt64)
        /// The coordinator does not want it: no report of what still runs.
        case kill
        /// The coordinator may have given its place to another. The end is how it ends if nothing ran.
        case abandon(AttemptEnd)
        /// Give it back if nothing ran.
        case drain
        /// The coordinator has the result and the output before it, or refused it because another has its place.
        case settled
    }

    enum Action: Hashable, Sendable {
        case progress(AttemptState)
        case launch
        /// Ask the launcher to end the sandbox.
        case cancelSandbox(graceMs: UInt64)
        case collect
        case journal(AttemptEnd)
        /// Try the journal again later.
        case retryJournal(AttemptEnd)
        case report
        /// Tell the coordinator that the attempt comes back without having run.
        case giveBack
        /// Note in the journal that the result needs to be kept no more.
        case settleJournal
        /// Let the launcher forget the sandbox, once nothing here says that it should be there.
        case release
        /// Drop everything about the attempt.
        case forget
    }

    private(set) var phase: Phase
    /// Whether the user asked for the end: a start that fails after it is no failure.
    private(set) var isCancelled = false
    /// Whether this worker ended it since another may have its place.
    private(set) var isAbandoned = false
    /// Whether the launcher keeps something under the attempt's id.
    private(set) var hasSandbox: Bool

    /// A new assignment. The coordinator is told that preparing has begun by the caller, with `begin`.
    init() {
        phase = .preparing
        hasSandbox = false
    }

    /// A sandbox that an earlier run of this worker asked for.
    static func adopted(isStarted: Bool = true) -> AttemptMachine {
        var machine = AttemptMachine()
        machine.phase = isStarted ? .running : .launching
        machine.hasSandbox = true
        return machine
    }

    /// A result that an earlier run of this worker journaled.
    static func journaled(hasSandbox: Bool) -> AttemptMachine {
        var machine = AttemptMachine()
        machine.phase = .reporting
        machine.hasSandbox = hasSandbox
        return machine
    }

    /// Whether the attempt counts for a place in the inventory.
    var isHeld: Bool { phase != .gone && phase != .killing }

    /// Whether a command is being started or runs.
    var isActive: Bool { phase == .launching || phase == .running }

    /// The state as the coordinator names it.
    var attemptState: AttemptState {
        switch phase {
        case .preparing, .launching: .preparing
        case .running, .killing: .running
        case .collecting, .journaling, .reporting, .gone: .finished
        }
    }

    /// Applies an event. One that comes too late or twice changes nothing and asks for nothing.
    mutating func handle(_ event: Event) -> [Action] {
        switch (phase, event) {
        case (.preparing, .building): return [.progress(.building)]
        case (.preparing, .prepared):
            phase = .launching
            hasSandbox = true
            return [.launch]
        case (.preparing, .preparationFailed(let end)): return finish(end)
        case (.preparing, .cancel(let end, _)):
            isCancelled = true
            return finish(end)
        case (.preparing, .abandon(let end)):
            isAbandoned = true
            return finish(end)
        case (.preparing, .kill): return leave([])
        case (.preparing, .drain): return leave([.giveBack])

        case (.launching, .started):
            phase = .running
            return [.progress(.running)]
        case (.launching, .launchFailed(let end)), (.running, .launchFailed(let end)):
            hasSandbox = false
            return finish(end)
        case (.launching, .cancel(_, let graceMs)), (.running, .cancel(_, let graceMs)):
            // Asked for again with a shorter grace, the launcher shortens it.
            isCancelled = true
            return [.cancelSandbox(graceMs: graceMs)]
        case (.launching, .abandon), (.running, .abandon):
            isAbandoned = true
            return [.cancelSandbox(graceMs: 0)]
        case (.launching, .found(let graceMs)), (.running, .found(let graceMs)):
            if isAbandoned { return [.cancelSandbox(graceMs: 0)] }
            return isCancelled ? [.cancelSandbox(graceMs: graceMs)] : []
        case (.launching, .exited(let end, let hasDownloads)), (.running, .exited(let end, let hasDownloads)):
            guard hasDownloads else { return finish(end) }
            phase = .collecting(end)
            return [.collect]
        case (.launching, .kill), (.running, .kill):
            phase = .killing
            return [.cancelSandbox(graceMs: 0)]
        case (.launching, .launcherLost(let end)), (.running, .launcherLost(let end)):
            hasSandbox = false
            return finish(end)

        case (.collecting(let end), .collected): return finish(end)
        case (.collecting, .kill): return leave([])
        case (.journaling, .journaled):
            phase = .reporting
            return [.report]
        case (.journaling(let end), .journalFailed): return [.retryJournal(end)]
        case (.reporting, .settled): return leave([.settleJournal])
        case (.collecting, .launcherLost), (.journaling, .launcherLost), (.reporting, .launcherLost):
            hasSandbox = false
            return []

        case (.killing, .found): return [.cancelSandbox(graceMs: 0)]
        case (.killing, .exited): return leave([])
        case (.killing, .launchFailed), (.killing, .launcherLost):
            hasSandbox = false
            return leave([])

        default: return []
        }
    }

    private mutating func finish(_ end: AttemptEnd) -> [Action] {
        phase = .journaling(end)
        return [.journal(end)]
    }

    private mutating func leave(_ actions: [Action]) -> [Action] {
        phase = .gone
        defer { hasSandbox = false }
        // The record goes first: one that is there without its sandbox says that there never was one.
        return actions + [.forget] + (hasSandbox ? [.release] : [])
    }
}
