import SandpoolAPI
import SandpoolCoordinator
import SandpoolModel
import SandpoolSandbox
import SandpoolStore
import SandpoolWorker

/// What happens at some moment of a simulated world. What is meant for a process names the start of it that it is meant
/// for: to a later one it does not happen.
enum Happening {
    case arrivesAtCoordinator(connection: Int, UpItem)
    case arrivesAtWorker(connection: Int, DownItem)
    case worker(host: Int, start: Int, WorkerDuty)
    case launcher(host: Int, start: Int, LauncherDuty)
    case coordinator(start: Int, CoordinatorDuty)
    case client(job: Int, ClientDuty)
    case fault(Fault)
    case repair(Repair)
    /// From here on nothing goes wrong any more.
    case calm
    /// It is looked whether there is nothing left to do.
    case look
    /// Nobody wants this command any more, and its worker knows.
    case mustHaveEnded(execution: Int)
}

enum WorkerDuty {
    case feed(WorkerState.Event)
    case prepared(AttemptLease, PreparedRoot)
    /// The connection to the launcher of this number brings something.
    case launcherSays(connection: Int, LauncherEvent, SpoolSizes?)
    case launcherGrew(connection: Int, AttemptID, stdout: Int64, stderr: Int64)
    case launcherIsGone(connection: Int)
    case connectToLauncher
    case connect
    case isRefused(session: Int)
    case giveUp(session: Int)
    case checkSilence(session: Int)
    case write
    case journalIsWritten
    case journalIsSynced
}

enum LauncherDuty {
    case takes(LauncherRequest, job: Int?)
    case isSetUp(AttemptID)
    case writes(AttemptID, stdout: Int64, stderr: Int64)
    case ends(AttemptID, ExitReport.End, ExitReport.Reason)
}

enum CoordinatorDuty {
    case recover
    case feed(CoordinatorState.Event)
    case commit
    case reads(Conversation, StoreCall, Timestamp)
    case flushes(Conversation, [OutputStreamID])
    case syncs
    case isSynced([(stream: OutputStreamID, end: Int64)])
    case appends(SessionID, OutputPiece, OutputStreamID)
    case readsOn(SessionID)
    case closes(SessionID)
    /// The last of an orderly stop.
    case ends
}

enum ClientDuty {
    case submit
    case submitArrives
    /// The commit has returned in the start of the coordinator that made it.
    case isStored(JobID, isNew: Bool, start: Int, Timestamp)
    case isAccepted(JobID)
    case cancel
    case cancelArrives
    case cancelIsAnswered(CoordinatorState.Reply)
}

enum Repair {
    case path(host: Int)
    case startWorker(host: Int)
    case startLauncher(host: Int)
    case boot(host: Int)
    case startCoordinator
    case workerDisk(host: Int)
    case coordinatorDisk
    case resume(host: Int)
}
