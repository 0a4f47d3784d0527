import LinuxSystem
import NIOCore
import SandpoolSandbox

/// Sandboxes of the worker's own, which no coordinator knows of.
struct OwnSandbox {
    /// How one ended, and what it wrote on standard output.
    struct End: Sendable {
        var report: ExitReport
        var output: [UInt8]
    }

    /// The command was not executed.
    struct NotStarted: Error { var failure: SandboxFailure }

    static let outputLimit = 4 << 20

    let waiter: CheckedContinuation<End, any Error>
    var output: SpoolFile?
}

extension WorkerCore {
    /// Runs a sandbox to its end, which its plan's timeout bounds.
    ///
    /// - Throws: `OwnSandbox.NotStarted`, or `WorkerError` when the launcher is gone.
    func runOwn(_ plan: SandboxPlan) async throws -> OwnSandbox.End {
        guard let launcher else { throw WorkerError("the launcher is not there") }
        let file = try SealedFile.make(plan.encoded(), name: "plan")
        return try await withCheckedThrowingContinuation { waiter in
            ownSandboxes[plan.id] = OwnSandbox(waiter: waiter)
            launcher.send(.start(id: plan.id), [file])
        }
    }

    /// Takes what the launcher says of one of them; false when it is of something else.
    func takeOwn(_ event: LauncherEvent, _ descriptors: [FileDescriptor]) -> Bool {
        switch event {
        case .started(let id, _):
            guard ownSandboxes[id] != nil else { return false }
            ownSandboxes[id]?.output = descriptors.first.map { SpoolFile(file: $0) }
        case .failed(let id, let failure):
            guard let own = ownSandboxes.removeValue(forKey: id) else { return false }
            own.waiter.resume(throwing: OwnSandbox.NotStarted(failure: failure))
        case .exited(let id, let report):
            guard let own = ownSandboxes.removeValue(forKey: id) else { return false }
            let count = min(Int(clamping: report.stdoutBytes), OwnSandbox.outputLimit)
            let output = own.output.flatMap { try? $0.read(at: 0, count: count) }
            launcher?.send(.release(id: id))
            own.waiter.resume(returning: OwnSandbox.End(report: report, output: output.map { Array(buffer: $0) } ?? []))
        default: return false
        }
        return true
    }

    func failOwn(_ error: WorkerError) {
        for own in ownSandboxes.values { own.waiter.resume(throwing: error) }
        ownSandboxes = [:]
    }
}
