import SandpoolAPI
import SandpoolModel
import SandpoolStore

/// What goes in and what comes out.
extension CoordinatorState {
    package enum Event: Sendable {
        /// The first event of a process: what the store knows.
        case recovered(workers: [WorkerRecord], live: [LiveAttempt])
        /// The answer to `Effect.turn` and `Effect.wake`; early, late or twice it does no harm.
        case turn(Conversation)
        /// The outstanding call of a conversation succeeded.
        case answered(Conversation, StoreAnswer)
        /// It failed.
        case failed(Conversation, Failure)
        /// Jobs became durable, with these queue timeouts.
        case submitted(deadlines: [Timestamp])
        /// Begins a conversation; it ends with `Effect.reply`.
        case command(CommandID, Command)
        /// Nobody waits for a command's reply any more. Only while no call of it is outstanding.
        case abandoned(CommandID)
        /// The coordinator stops.
        case stopping

        /// A worker's session begins, with its first message. What comes of it waits for `Effect.resume`.
        case opened(SessionID, WorkerHello, token: TokenID?)
        /// A frame came that is none of the following.
        case heard(SessionID)
        case heartbeat(SessionID, sentMs: Int64)
        /// - Parameter bytes: what the message took as JSON.
        case reported(SessionID, WorkerReport, bytes: Int)
        /// Output came. The driver keeps its bytes until it is told what to do with them, or reads the next frame.
        case output(SessionID, OutputRange)
        /// The answer to `Effect.append`.
        case appended(SessionID, OutputAppended)
        case appendFailed(SessionID, Failure)
        /// Output up to `end` is durable.
        case synced(OutputStreamID, end: Int64)
        /// Output could not be made durable, and was cut back to what is.
        case syncFailed(OutputStreamID, Failure)
        /// A session's connection is over, whoever ended it. Nothing more comes of it. Once for each session; where it
        /// overtakes `opened`, the session was never there.
        case closed(SessionID)
    }

    package enum Effect: Sendable {
        /// Make this call and answer with `answered` or `failed`.
        case call(Conversation, StoreCall)
        /// Answer with `turn` soon.
        case turn(Conversation)
        /// Answer with `turn` at this uptime. Of several the earliest counts.
        case wake(Conversation, at: Duration)
        /// Write the bytes of the session's last `output` and answer with `appended` or `appendFailed`.
        case append(SessionID, OutputStreamID, offset: Int64, count: Int)
        /// Show the same bytes to who follows the job.
        case publishOutput(SessionID, OutputStreamID, offset: Int64)
        case send(SessionID, CoordinatorMessage)
        /// Read nothing of the session until `resume`.
        case pause(SessionID)
        case resume(SessionID)
        case end(SessionID, SessionEnd)
        /// Send a worker what waits of a job's input; `again` where what went there before came too early.
        case pushInput(JobID, AttemptLease, SessionID, again: Bool)
        /// Nobody takes a job's input any more.
        case dropInput(JobID)
        case publish(JobID, Notice)
        /// Tell who follows a job that has ended, which nobody was told of here.
        case lookAgain
        case reply(CommandID, Reply)
        case log(Severity, String, WorkerID?)
    }

    /// What an operator or a client asks for.
    package enum Command: Hashable, Sendable {
        case cancel(JobID)
        /// Stops leases to a worker, or allows them again.
        case drain(WorkerID, Drain?)
        /// Takes a worker off the list. Its operator vouches that it is dead, so what it held ends or runs again.
        case forget(WorkerID)
    }

    package enum Reply: Hashable, Sendable {
        case done
        case notFound
        case failed(Failure)
    }

    package enum SessionEnd: Hashable, Sendable {
        /// After what is queued has been sent.
        case close
        /// At once, also where the worker does not read any more.
        case abort(String)
        /// The worker is told why.
        case refuse(APIError)
    }

    /// What who follows a job is told.
    package enum Notice: Hashable, Sendable {
        /// Output of this attempt follows.
        case begin(AttemptID)
        case state(JobState, note: String?)
        /// Output that came inside a result.
        case tail(InlineOutput, at: Timestamp)
        case finished
    }

    package enum Severity: Hashable, Sendable { case info, error }
}

/// Who has calls to the store, one at a time each.
package enum Conversation: Hashable, Sendable {
    case scheduler, queue, leases, quarantines
    /// Has turns only.
    case drains
    case session(SessionID)
    case command(CommandID)
}

/// A worker's session, unique in the process; a later one has a higher number.
package struct SessionID: Hashable, Comparable, Sendable {
    package var number: UInt64

    package init(_ number: UInt64) { self.number = number }

    package static func < (left: Self, right: Self) -> Bool { left.number < right.number }
}

/// A command, unique in the process.
package struct CommandID: Hashable, Sendable {
    package var number: UInt64

    package init(_ number: UInt64) { self.number = number }
}
