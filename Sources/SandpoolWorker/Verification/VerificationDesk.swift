import Glibc
import LinuxSystem
import Logging
import SandpoolAPI
import SandpoolModel

/// Verifies, one at a time, and tells everybody who has to know: the log, the file, the core, and through it the
/// coordinator.
actor VerificationDesk {
    private let verifier: Verifier
    private let file: VerificationFile
    private let core: WorkerCore
    private let log: Logger
    private var underWay: Task<Verification, Never>?
    /// What came out last.
    private var last: VerificationSummary?

    init(verifier: Verifier, file: VerificationFile, core: WorkerCore, log: Logger) {
        self.verifier = verifier
        self.file = file
        self.core = core
        self.log = log
    }

    /// Before the worker takes jobs. Whatever comes out is in the core then.
    func begin(_ policy: VerificationPolicy) async {
        switch policy.kind {
        case .never: return
        case .oncePerBoot:
            if let earlier = file.load(), verifier.identity.isOf(earlier), earlier.summary.isTrusted {
                return await core.setVerification(earlier.summary)
            }
        case .atStart: break
        }
        _ = await verify(.quick)
    }

    /// Attacks again where the last attack did not get to its end: a launcher that went away meanwhile says nothing
    /// about sandboxes, and without this the worker would take no jobs until somebody starts it anew.
    func tryAgain() async {
        guard let last, !last.isTrusted, last.through.isEmpty else { return }
        _ = await verify(.quick)
    }

    /// Waits for one that is under way, then attacks again.
    func verify(_ extent: VerificationExtent) async -> Verification {
        while let underWay { _ = await underWay.value }
        let task = Task { [verifier] in await verifier.verify(extent) }
        underWay = task
        let result = await task.value
        underWay = nil
        do { try file.save(result) } catch { log.warning("the verification could not be stored: \(error)") }
        let summary = result.summary
        last = summary
        if summary.isTrusted {
            log.info("verified: \(summary.text)")
        } else {
            log.error("takes no jobs: \(summary.text)")
        }
        await core.setVerification(summary)
        return result
    }
}
