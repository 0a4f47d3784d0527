import LinuxSystem
import SandpoolModel
import SandpoolSandbox

/// The connection to the launcher, and what comes with its words.
extension WorkerCore {
    /// Greets a launcher and takes over the sandboxes that it has.
    ///
    /// - Returns: the layers in its storage.
    func connect(to socket: SeqPacketSocket) async throws -> [String] {
        let connection = try LauncherConnection(socket, on: thread.events) { self.handle($0) }
        launcher = connection
        step(.launcherConnected)
        return try await withCheckedThrowingContinuation { continuation in
            launcherWaiters.ready = continuation
            connection.send(.hello(version: LauncherProtocol.version))
            // Answered after the last `adopted`, so it marks their end.
            connection.send(.listLayers)
        }
    }

    /// Waits until the connection is gone or the task is cancelled, and says why.
    func launcherClosed() async -> String {
        guard launcher != nil else { return "the launcher is not there" }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { launcherWaiters.closed = $0 }
        } onCancel: {
            thread.post { [self] in assumeIsolated { $0.launcherWaiters.stopWatching() } }
        }
    }

    /// The launcher will not come back.
    func loseSandboxes() { step(.launcherLost) }

    /// Ends the launcher with this worker, or as soon as no sandbox is left in it. Where there is none now, waits until
    /// it is gone: the next worker must not find one that is about to end.
    func dismissLauncher() async {
        guard let launcher else { return }
        launcher.send(.dismiss)
        if state.hasSandboxes { return }
        _ = await withCheckedContinuation { continuation in
            launcherWaiters.closed = continuation
            schedule(afterMs: Limits.dismissalMs) { $0.launcherWaiters.stopWatching() }
        }
    }

    /// Ends the session and the connection to the launcher, with everything on disk that has to be.
    func close() {
        endSession(state.sessionNumber)
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
            step(
                .spoolsGrew(
                    id, stdout: Int64(clamping: progress.stdoutBytes), stderr: Int64(clamping: progress.stderrBytes)))
        case .closed(let reason):
            launcher = nil
            step(.launcherGone)
            let gone = WorkerError("the launcher is gone: \(reason)")
            launcherWaiters.failAll(gone)
            failOwn(gone)
            loseExecs()
        }
    }

    private func handle(_ event: LauncherEvent, _ descriptors: [FileDescriptor]) {
        if takeOwn(event, descriptors) || takeExec(event, descriptors) { return }
        switch event {
        case .refused(let message): launcher?.close("it refused: \(message)")
        // What is written from here on is told of; only what was there before has to be asked for.
        case .started(let text, _): attach(descriptors, to: text, event) { _ in SpoolSizes() }
        case .adopted(let text, _):
            attach(descriptors, to: text, event) { SpoolSizes(stdout: $0.stdout.size, stderr: $0.stderr.size) }
        case .exited(let text, _):
            if let id = AttemptID(text) { closeInput(of: .attempt(id)) }
            step(.launcher(event, spools: nil))
        case .layerReady(let layer, let bytes):
            launcherWaiters.imports.removeValue(forKey: layer)?.resume(returning: bytes)
        case .layerFailed(let layer, let message):
            launcherWaiters.imports.removeValue(forKey: layer)?
                .resume(throwing: WorkerError("layer \(layer): \(message)"))
        case .layers(let layers):
            step(.launcher(event, spools: nil))
            launcherWaiters.ready?.resume(returning: layers)
            launcherWaiters.ready = nil
        case .welcome, .starting, .failed: step(.launcher(event, spools: nil))
        }
    }

    private func attach(
        _ descriptors: [FileDescriptor], to text: String, _ event: LauncherEvent,
        sizes: (CommandDescriptors) -> SpoolSizes
    ) {
        let streams = CommandDescriptors(descriptors)
        let id = AttemptID(text)
        if let id, let streams { attach(streams, to: id) }
        step(.launcher(event, spools: streams.map(sizes)))
        guard let id else { return }
        if state.attempts[id] == nil { files[id] = nil } else { writeInput(of: .attempt(id)) }
    }

    private func attach(_ streams: CommandDescriptors, to id: AttemptID) {
        // A launcher that is back passes the pipe again.
        if let input = files[id]?.input, input.isWatched, let pipe = input.pipe {
            thread.events.forget(pipe)
            files[id]?.input.isWatched = false
        }
        files[id, default: AttemptFiles()].stdout = streams.stdout
        files[id]?.stderr = streams.stderr
        files[id]?.input.attach(streams.input)
    }
}
