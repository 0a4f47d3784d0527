import SandpoolAPI
import SandpoolModel
import SandpoolSandbox

extension WorkerState {
    /// What has to be done for the state. What has an answer names the event that brings it.
    package enum Effect: Equatable, Sendable {
        case ask(LauncherRequest)
        /// Get what the job needs into the launcher's storage: `preparing` unless it is there at once, then `prepared`
        /// or `preparationFailed`.
        indirect case prepare(Assignment)
        /// Save the record, which has to outlive this process and not the host, then ask the launcher for the sandbox;
        /// `startFailed` where it was not asked.
        indirect case start(AttemptRecord, Assignment, SandboxPlan.Root)
        /// Upload the archive of downloads: `uploaded`.
        case upload(AttemptLease)
        /// Read the tails of output into the result and put it on disk, durably: `journaled` or `journalFailed`. Where
        /// the tails cannot be read it goes without them.
        indirect case journal(AttemptResult, stdout: Range<Int64>?, stderr: Range<Int64>?)
        /// Note in the journal that the result needs to be kept no more. Losing the note costs a repeated report.
        case settle(AttemptLease)
        /// Drop everything about an attempt: record, open files, the archive of downloads. Its layers are not needed
        /// any more.
        case forget(AttemptLease, layers: [String], hasDownloads: Bool)
        /// Count layers as needed, or not needed any more.
        case useLayers([String])
        case freeLayers([String])
        /// Keep the moment for the next process of this boot.
        case saveRenewal(Renewal)
        /// There is something for the session's writer to take.
        case wakeWriter
        /// `fired` after so long.
        case wake(afterMs: Int64, Timer)
        /// An error that people should read.
        case log(String)
    }

    /// One thing to send on the session.
    package enum Item: Equatable, Sendable {
        case message(WorkerMessage)
        /// Bytes of a spool.
        case output(AttemptLease, OutputStreamCode, offset: Int64, count: Int)
    }
}
