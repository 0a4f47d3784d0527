import Glibc
import LinuxSystem
import SandpoolAPI
import SandpoolModel
import SandpoolSandbox

/// What the launcher says.
extension WorkerCore {
    /// Greets a launcher and takes over the sandboxes that it has.
    ///
    /// - Returns: the layers in its storage.
    func connect(to socket: SeqPacketSocket) async throws -> [String] {
        inherited.adopted = []
        let connection = try LauncherConnection(socket, on: thread.events) { self.handle($0) }
        launcher = connection
        return try await withCheckedThrowingContinuation { continuation in
            launcherWaiters.ready = continuation
            connection.send(.hello(version: LauncherProtocol.version))
            // Answered after the last `adopted`, so it marks their end.
            connection.send(.listLayers)
        }
    }

    func inherit(_ inherited: Inherited) { self.inherited = inherited }

    /// Waits until the connection is gone or the task is cancelled, and says why.
    func launcherClosed() async -> String {
        guard launcher != nil else { return "the launcher is not there" }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { launcherWaiters.closed = $0 }
        } onCancel: {
            thread.post { [self] in assumeIsolated { $0.launcherWaiters.stopWatching() } }
        }
    }

    /// The launcher will not come back: whatever ran is gone.
    func loseSandboxes() {
        for (id, attempt) in attempts where attempt.machine.hasSandbox {
            apply(.launcherLost(end(.launcherLost(commandStarted: attempt.launchedMs != nil))), to: id)
        }
    }

    /// Ends the launcher with this worker if no sandbox is left in it, and waits until it is gone: the next worker
    /// must not find one that is about to end.
    func dismissLauncher() async {
        guard let launcher, !attempts.values.contains(where: \.machine.hasSandbox) else { return }
        launcher.send(.dismiss)
        _ = await withCheckedContinuation { continuation in
            launcherWaiters.closed = continuation
            schedule(afterMs: Limits.dismissalMs) { $0.launcherWaiters.stopWatching() }
        }
    }

    /// Ends the session and the connection to the launcher, with everything on disk that has to be.
    func close() {
        endSession(session.number)
        door?.close()
        door = nil
        launcher?.close("this worker ends")
        launcher = nil
        journal.flush()
    }

    /// Unpacks a tar archive into a new layer.
    ///
    /// - Returns: its size in bytes.
    func importLayer(_ layer: String, from archive: FileDescriptor) async throws -> UInt64 {
        guard let launcher else { throw WorkerError("the launcher is not there") }
        return try await withCheckedThrowingContinuation { continuation in
            launcherWaiters.imports.updateValue(continuation, forKey: layer)?
                .resume(throwing: WorkerError("layer \(layer) is imported twice at once"))
            launcher.send(.importLayer(layer: layer), [archive])
        }
    }

    func removeLayer(_ layer: String) { launcher?.send(.removeLayer(layer: layer)) }

    private func handle(_ input: LauncherConnection.Input) {
        switch input {
        case .event(let event, let descriptors): handle(event, descriptors)
        case .progress(let progress):
            if noteExecOutput(progress) { return }
            guard let id = AttemptID(progress.id) else { return }
            noteOutput(
                of: id, stdout: Int64(clamping: progress.stdoutBytes), stderr: Int64(clamping: progress.stderrBytes))
        case .closed(let reason):
            launcher = nil
            let gone = WorkerError("the launcher is gone: \(reason)")
            launcherWaiters.failAll(gone)
            failOwn(gone)
            loseExecs()
        }
    }

    private func handle(_ event: LauncherEvent, _ descriptors: [FileDescriptor]) {
        if takeOwn(event, descriptors) || takeExec(event, descriptors) { return }
        switch event {
        case .welcome(_, _, let fingerprint, let makesDisks):
            hostFingerprint = fingerprint
            self.makesDisks = makesDisks
        case .refused(let message): launcher?.close("it refused: \(message)")
        case .starting(let id): adopt(id, isStarted: false)
        case .adopted(let text, let startedMs):
            guard let id = adopt(text, isStarted: true) else { return }
            attach(descriptors, to: id, startedMs)
            attempts[id]?.growToSpools()
            attempts[id]?.isOutputOpen = true
            if attempts[id]?.machine.phase == .launching { apply(.started, to: id) }
        case .started(let text, let startedMs):
            guard let id = AttemptID(text), let phase = attempts[id]?.machine.phase,
                phase == .launching || phase == .killing
            else {
                // Started for a worker that is gone: its attempt has ended without it.
                launcher?.send(.cancel(id: text, graceMs: 0))
                return
            }
            attach(descriptors, to: id, startedMs)
            apply(.started, to: id)
            writeInput(of: .attempt(id))
            noteOutput(of: id, stdout: 0, stderr: 0)
        case .failed(let id, let failure):
            guard let id = AttemptID(id), let attempt = attempts[id] else { return }
            let outcome = attempt.outcomes.outcome(of: failure, isCancelled: attempt.machine.isCancelled)
            apply(.launchFailed(end(outcome)), to: id)
        case .exited(let id, let report): exited(id, report)
        case .layerReady(let layer, let bytes):
            launcherWaiters.imports.removeValue(forKey: layer)?.resume(returning: bytes)
        case .layerFailed(let layer, let message):
            launcherWaiters.imports.removeValue(forKey: layer)?
                .resume(throwing: WorkerError("layer \(layer): \(message)"))
        case .layers(let layers):
            guard let ready = launcherWaiters.ready else { return }
            launcherWaiters.ready = nil
            settleInheritance()
            ready.resume(returning: layers)
        }
    }

    private func attach(_ descriptors: [FileDescriptor], to id: AttemptID, _ startedMs: UInt64) {
        let sinceStart = Int64(clamping: BoottimeClock.milliseconds()) - Int64(clamping: startedMs)
        attempts[id]?.startedAt = Timestamp(milliseconds: settings.now().milliseconds - max(0, sinceStart))
        guard let streams = CommandDescriptors(descriptors) else { return }
        attempts[id]?.stdout = streams.stdout
        attempts[id]?.stderr = streams.stderr
        if attempts[id]?.isOutputOpen == true { openOutput(id) }
        attempts[id]?.input.pipe = streams.input
    }

    private func exited(_ text: String, _ report: ExitReport) {
        guard let id = AttemptID(text), var attempt = attempts[id] else {
            // Of an attempt that nobody knows any more: it was killed when it was adopted.
            launcher?.send(.release(id: text))
            return
        }
        attempt.cursors.stdout.grow(to: Int64(clamping: report.stdoutBytes))
        attempt.cursors.stderr.grow(to: Int64(clamping: report.stderrBytes))
        attempts[id] = attempt
        let outcome = attempt.outcomes.outcome(of: report, commandStarted: attempt.startedAt != nil)
        let evidence = Evidence(report, hostFingerprint: attempt.usesHostImage ? hostFingerprint : nil)
        closeInput(of: .attempt(id))
        apply(.exited(end(outcome, evidence), hasDownloads: attempt.downloadsPath != nil), to: id)
    }

    /// Takes a sandbox over that the launcher has. One that nobody knows of is killed.
    @discardableResult
    private func adopt(_ text: String, isStarted: Bool) -> AttemptID? {
        guard let id = AttemptID(text), attempts[id] != nil || inherited.records[id] != nil else {
            launcher?.send(.cancel(id: text, graceMs: 0))
            return nil
        }
        inherited.adopted.insert(id)
        if attempts[id] == nil, let record = inherited.records.removeValue(forKey: id) {
            let result = inherited.results.removeValue(forKey: id)
            let machine: AttemptMachine =
                result == nil ? .adopted(isStarted: isStarted) : .journaled(hasSandbox: true)
            restore(record, result, machine: machine)
        }
        if let graceMs = attempts[id]?.graceMs { apply(.found(graceMs: graceMs), to: id) }
        return id
    }

    /// The launcher has listed everything: what it does not have is gone.
    private func settleInheritance() {
        for (id, attempt) in attempts where attempt.machine.hasSandbox && !inherited.adopted.contains(id) {
            if attempt.machine.phase == .launching, attempt.launchedMs == nil {
                if attempt.machine.isCancelled {
                    apply(.launchFailed(end(.cancelledBeforeStart)), to: id)
                } else {
                    launch(id)
                }
            } else {
                apply(.launcherLost(end(.launcherLost(commandStarted: true))), to: id)
            }
        }
        for (id, record) in inherited.records {
            let result = inherited.results.removeValue(forKey: id)
            restore(record, result, machine: result == nil ? .adopted() : .journaled(hasSandbox: false))
            let outcome: Outcome =
                record.bootID == settings.bootID ? .launcherLost(commandStarted: true) : .hostRestarted
            apply(.launcherLost(end(outcome)), to: id)
        }
        for result in inherited.results.values { restore(result) }
        inherited = Inherited()
    }

    private func restore(_ record: AttemptRecord, _ result: AttemptResult?, machine: AttemptMachine) {
        var attempt = LiveAttempt(
            lease: record.lease, job: record.job, machine: machine, outcomes: OutcomeBuilder(record),
            graceMs: PlanBuilder.graceMs(record.graceSeconds), receivedMs: BoottimeClock.milliseconds())
        attempt.layers = record.layers
        attempt.usesHostImage = record.usesHostImage
        attempt.result = result
        let downloads = "\(directory.downloads)/\(record.lease.attempt.text)"
        if record.hasDownloads, access(downloads, R_OK) == 0 { attempt.downloadsPath = downloads }
        layerUse.add(record.layers)
        attempts[record.lease.attempt] = attempt
    }

    /// A result whose sandbox and record are gone already.
    private func restore(_ result: AttemptResult) {
        var attempt = LiveAttempt(
            lease: result.lease, job: nil, machine: .journaled(hasSandbox: false), outcomes: OutcomeBuilder(),
            graceMs: 0, receivedMs: BoottimeClock.milliseconds())
        attempt.result = result
        attempts[result.lease.attempt] = attempt
    }
}
