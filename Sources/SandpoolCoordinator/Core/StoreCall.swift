import SandpoolAPI
import SandpoolModel
import SandpoolStore

/// What is asked of the store, or of the output's files, as data. `now` and the ids of new attempts are its driver's.
package enum StoreCall: Hashable, Sendable {
    // MARK: Answered by `jobs`
    case page(limit: Int, after: QueuePosition?)
    case demands(limit: Int, after: String?)

    /// The first jobs of each of these demands: `lines`.
    case draw([String], limit: Int)
    /// `leased`
    case lease([SchedulerState.Placement])
    /// `advanced`
    case advanceQueue
    /// `deadline`
    case nextQueueDeadline
    /// `cancelled`
    case cancel(JobID)
    /// `verdicts`
    case recordProgress([ProgressReport])
    /// `live`
    case liveAttempts(WorkerID)
    /// Since now, or not any more: `done`.
    case setUnreachable(WorkerID, Bool)
    /// `enrolled`
    case upsertWorker(WorkerRegistration, token: TokenID?)
    /// Make these streams durable and tell their ends: `flushed`.
    case flush([OutputStreamID])

    // MARK: Answered by `ends`
    case recordResults([ResultReport])
    case returnLeases([LeaseKey])
    case recordLosses([LossReport])

    // MARK: Answered by `known`
    case setDrain(Drain?, WorkerID)
    case setQuarantine(Quarantine?, WorkerID)
    case forgetWorker(WorkerID)
}

/// What a call came to. One answer for each element of the call's array, in order.
package enum StoreAnswer: Hashable, Sendable {
    case jobs([QueuedJob])
    case lines([[QueuedJob]])
    case leased([LeaseAnswer])
    case advanced(QueueAdvance)
    case deadline(Timestamp?)
    case cancelled(CancelAnswer)
    case verdicts([Verdict])
    case ends([EndAnswer])
    case live([LiveAttempt])
    case done
    case enrolled(WorkerRecord)
    case known(Bool)
    case flushed([Int64])
}

/// One stream of an attempt's output.
package struct OutputStreamID: Hashable, Sendable {
    package var job: JobID
    package var attempt: AttemptID
    package var code: OutputStreamCode

    package init(job: JobID, attempt: AttemptID, code: OutputStreamCode) {
        self.job = job
        self.attempt = attempt
        self.code = code
    }
}

/// What became of bytes that were placed; each case carries the end of the stream as it is now.
package enum OutputAppended: Hashable, Sendable {
    case stored(end: Int64)
    case repeated(end: Int64)
    case gap(end: Int64)
}
