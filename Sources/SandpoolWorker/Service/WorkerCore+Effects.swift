import Glibc
import LinuxSystem
import SandpoolAPI
import SandpoolModel
import SandpoolSandbox

/// Doing what the state asks for.
extension WorkerCore {
    func perform(_ effect: WorkerState.Effect) {
        switch effect {
        case .ask(let request): launcher?.send(request)
        case .prepare(let assignment): prepare(assignment)
        case .start(let record, let assignment, let root): start(record, assignment, root)
        case .upload(let lease): upload(lease)
        case .journal(let result, let stdout, let stderr): write(result, stdout, stderr)
        case .settle(let lease): journal.settle(lease)
        case .forget(let lease, let layers, let hasDownloads): forget(lease.attempt, layers, hasDownloads)
        case .useLayers(let layers): layerUse.add(layers)
        case .freeLayers(let layers): layerUse.remove(layers)
        case .saveRenewal(let newest): renewal.save(newest)
        case .wakeWriter: wakeWriter()
        case .wake(let delay, let timer): schedule(afterMs: UInt64(clamping: delay)) { $0.step(.fired(timer)) }
        case .log(let line): log.error("\(line)")
        }
    }

    private func prepare(_ assignment: Assignment) {
        guard let preparer else { return }
        let lease = assignment.lease
        if let root = preparer.immediateRoot(for: assignment.spec) { return step(.prepared(lease, root)) }
        step(.preparing(lease))
        work.add { [self] in
            do throws(PreparationFailure) {
                let root = try await preparer.prepare(assignment) { await self.step(.building(lease)) }
                await step(.prepared(lease, root))
            } catch {
                await step(.preparationFailed(lease, error.outcome))
            }
        }
    }

    private func downloads(of id: AttemptID) -> String { "\(directory.downloads)/\(id.text)" }

    private func start(_ record: AttemptRecord, _ assignment: Assignment, _ root: SandboxPlan.Root) {
        let id = assignment.lease.attempt
        let plan = settings.plans.plan(for: assignment, root: root)
        do {
            // Before the start: a sandbox without a record would be killed by the next run of this worker.
            try directory.attempts.save(record)
            var descriptors = [try SealedFile.make(plan.encoded(), name: "plan")]
            if !plan.downloads.isEmpty {
                descriptors.append(
                    try FileDescriptor.open(downloads(of: id), O_RDWR | O_CREAT | O_TRUNC, mode: 0o600))
            }
            launcher?.send(.start(id: id.text), descriptors)
        } catch {
            step(.startFailed(assignment.lease, "\(error)"))
        }
    }

    private func upload(_ lease: AttemptLease) {
        let path = downloads(of: lease.attempt)
        guard let preparer, access(path, R_OK) == 0 else {
            return step(.uploaded(lease, digest: nil, message: nil))
        }
        work.add { [self] in
            do {
                let digest = try await preparer.upload(downloadsAt: path)
                await step(.uploaded(lease, digest: digest, message: nil))
            } catch {
                await step(.uploaded(lease, digest: nil, message: "downloads: \(error)"))
            }
        }
    }

    private func write(_ result: AttemptResult, _ stdout: Range<Int64>?, _ stderr: Range<Int64>?) {
        guard let files = files[result.lease.attempt] else { return append(result) }
        var result = result
        do {
            result.stdoutTail = try files.tail(.stdout, stdout)
            result.stderrTail = try files.tail(.stderr, stderr)
        } catch {
            // Read again, in frames, when the session sends it.
            (result.stdoutTail, result.stderrTail) = (nil, nil)
        }
        guard let work = DigestWork(files, result.evidence) else { return append(result) }
        guard work.isLong else {
            work.fill(&result.evidence)
            return append(result)
        }
        // Nobody waits for it: the result follows the same bytes to the coordinator. Where this process ends meanwhile,
        // the launcher tells the next one of the end again.
        digesting.async { [self, result] in
            var result = result
            work.fill(&result.evidence)
            append(result)
        }
    }

    private nonisolated func append(_ result: AttemptResult) {
        journal.append(result) { [self] failure in
            thread.post { [self] in
                assumeIsolated { core in
                    core.step(failure.map { .journalFailed(result.lease, $0.description) } ?? .journaled(result))
                }
            }
        }
    }

    private func forget(_ id: AttemptID, _ layers: [String], _ hasDownloads: Bool) {
        closeInput(of: .attempt(id))
        files[id] = nil
        layerUse.remove(layers)
        directory.attempts.remove(id)
        if hasDownloads { unlink(downloads(of: id)) }
    }
}
