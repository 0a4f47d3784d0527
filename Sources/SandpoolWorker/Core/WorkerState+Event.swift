import SandpoolAPI
import SandpoolModel
import SandpoolSandbox

extension WorkerState {
    /// What can happen to a worker.
    package enum Event: Equatable, Sendable {
        // MARK: The launcher

        /// A connection is there. The launcher lists what it has and ends the list with `layers`.
        case launcherConnected
        /// - Parameter spools: given where the spools came along; how much they held then.
        case launcher(LauncherEvent, spools: SpoolSizes?)
        case spoolsGrew(AttemptID, stdout: Int64, stderr: Int64)
        /// The connection is gone; another may come.
        case launcherGone
        /// There will be no other, so whatever ran is gone.
        case launcherLost

        // MARK: The session

        /// A session begins; `hello` opens it, and it is called `sessionNumber`.
        case sessionOpens
        case welcome(WorkerWelcome, session: Int)
        /// Checked. What is of execs is not of the state.
        case message(CoordinatorMessage, session: Int)
        /// A frame came that is no message.
        case heard(session: Int)
        case sessionEnded(Int)
        /// The host of the coordinator answered the attempt to open the session: nobody listens there.
        case coordinatorIsDown(session: Int)

        // MARK: Answers to effects

        /// What was to be prepared takes longer than a moment.
        case preparing(AttemptLease)
        case building(AttemptLease)
        case prepared(AttemptLease, PreparedRoot)
        case preparationFailed(AttemptLease, Outcome)
        /// The launcher was not asked, for this reason.
        case startFailed(AttemptLease, String)
        /// Bytes of an `Item.output` could not be read. Neither they were sent, nor what the same `takeOutbound` gave
        /// of the stream behind them, nor the attempt's result in it.
        case unreadable(AttemptLease, OutputStreamCode, offset: Int64, String)
        case uploaded(AttemptLease, digest: String?, message: String?)
        /// The result is on disk as it is here, its tails included.
        case journaled(AttemptResult)
        case journalFailed(AttemptLease, String)
        case fired(Timer)

        // MARK: What the driver sees by itself

        /// The command's pipe took standard input up to this offset.
        case inputConsumed(AttemptLease, offset: Int64)
        case verified(VerificationSummary)
    }

    /// What something is looked at again for. One that fires late or twice changes nothing.
    package enum Timer: Hashable, Sendable {
        case heartbeat(session: Int)
        case tellStart(AttemptLease)
        case openOutput(AttemptLease)
        case journal(group: UInt64)
        case retryJournal(AttemptLease)
        case silence
    }
}
