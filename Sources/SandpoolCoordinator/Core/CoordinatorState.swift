import SandpoolModel
import SandpoolStore

/// All that the coordinator decides, as a value: `step` takes what happened and returns what to do.
///
/// Nothing here waits, reads a clock, a file or a socket, or draws a random number. What the outside does comes back
/// as an event that names what it answers. The store is the truth about jobs and attempts; what is kept here of them
/// routes messages and says what may be asked of the store.
///
/// **Conversations.** At most one call is outstanding for each `Conversation`, and a step asks for one only when it
/// was given that conversation's own event. So a driver runs each as a loop of its own, and the calls of different
/// ones meet in the store's group commit.
///
/// **Turns.** What happens to a conversation from elsewhere is only noted, with the effect `turn`. All that has come
/// together until it gets its turn is served by one call. A turn too many does nothing.
package struct CoordinatorState: Sendable {
    let timings: CoordinatorTimings
    let generation: Int64
    /// What the database was before it was restored from a backup.
    let lostFutures: [LostFuture]
    /// When the step under way is made.
    var moment = Moment(wall: Timestamp(milliseconds: 0), uptimeMs: 0)
    /// What the step under way asks for.
    var effects: [Effect] = []
    private var outstanding: Set<Conversation> = []
    /// Whose turn came while its call was outstanding.
    private var missedTurns: Set<Conversation> = []

    var attempts = RunningAttempts()
    /// The enrolled workers, connected or not, as the store has them.
    var workers: [WorkerID: WorkerRecord] = [:]
    var sessions = Sessions()
    var scheduling = Scheduling()
    var leases: Leases
    var queue = QueueAlarm()
    var quarantines = Quarantines()
    var commands: [CommandID: CommandStage] = [:]
    var isStopping = false

    /// - Parameters:
    ///   - generation: which start of the coordinator this is, as the store counts them.
    ///   - lostFutures: what the database was before it was restored from a backup.
    package init(timings: CoordinatorTimings, generation: Int64, lostFutures: [LostFuture] = []) {
        self.timings = timings
        self.generation = generation
        self.lostFutures = lostFutures
        leases = Leases(liveness: Liveness(timings: timings))
    }

    /// Takes one event in. What it asks for is to be done in its order, and after what earlier steps asked for.
    package mutating func step(_ event: Event, at moment: Moment) -> [Effect] {
        self.moment = moment
        take(event)
        defer { effects = [] }
        return effects
    }

    private mutating func take(_ event: Event) {
        switch event {
        case .recovered(let workers, let live): recover(workers, live)
        case .turn(let conversation):
            if conversation == .leases { excuseLateTurn() }
            if outstanding.contains(conversation) { missedTurns.insert(conversation) } else { turn(conversation) }
        case .answered(let conversation, let answer):
            settleCall(of: conversation) { $0.answered(conversation, answer) }
        case .failed(let conversation, let failure):
            settleCall(of: conversation) { state in
                state.failed(conversation, failure)
                if failure.isAmbiguous { state.lookAgain() }
            }
        case .submitted(let deadlines): submitted(deadlines)
        case .command(let id, let command): begin(id, command)
        case .abandoned(let id): abandon(id)
        case .stopping: stop()
        case .opened(let id, let hello, let token): open(id, hello, token: token)
        case .heard(let id): heard(id)
        case .heartbeat(let id, let sentMs):
            if heard(id) { effects.append(.send(id, .heartbeat(sentMs: sentMs))) }
        case .reported(let id, let report, let bytes): reported(id, report, bytes: bytes)
        case .output(let id, let range): take(range, of: id)
        case .appended(let id, let appended): self.appended(appended, of: id)
        case .appendFailed(let id, let failure): appendFailed(failure, of: id)
        case .synced(let stream, let end): synced(stream, to: end)
        case .syncFailed(let stream, let failure): syncFailed(stream, failure)
        case .closed(let id): close(id)
        }
    }

    // MARK: Conversations

    /// Asks for a call; its answer is the conversation's next event.
    mutating func call(_ conversation: Conversation, _ call: StoreCall) {
        outstanding.insert(conversation)
        effects.append(.call(conversation, call))
    }

    func isOutstanding(_ conversation: Conversation) -> Bool { outstanding.contains(conversation) }

    /// Acts on the end of a call, where there was one, and makes up for a turn that came meanwhile.
    private mutating func settleCall(of conversation: Conversation, _ act: (inout Self) -> Void) {
        guard outstanding.remove(conversation) != nil else { return }
        if conversation == .leases { noteTurnHeldUp() }
        act(&self)
        guard !outstanding.contains(conversation), missedTurns.remove(conversation) != nil else { return }
        effects.append(.turn(conversation))
    }

    private mutating func turn(_ conversation: Conversation) {
        switch conversation {
        case .scheduler: turnOfScheduler()
        case .queue: turnOfQueue()
        case .leases: turnOfLeases()
        case .drains: endDrained()
        case .quarantines: turnOfQuarantines()
        case .session(let id): turnOfSession(id)
        case .command(let id): turnOfCommand(id)
        }
    }

    private mutating func answered(_ conversation: Conversation, _ answer: StoreAnswer) {
        switch conversation {
        case .scheduler: schedulerAnswered(answer)
        case .queue: queueAnswered(answer)
        case .leases: leasesAnswered(answer)
        case .drains: break
        case .quarantines: quarantinesAnswered(answer)
        case .session(let id): sessionAnswered(id, answer)
        case .command(let id): commandAnswered(id, answer)
        }
    }

    mutating func failed(_ conversation: Conversation, _ failure: Failure) {
        switch conversation {
        case .scheduler: schedulerFailed(failure)
        case .queue: queueFailed(failure)
        case .leases: leasesFailed(failure)
        case .drains: break
        case .quarantines: quarantinesFailed(failure)
        case .session(let id): sessionFailed(id, failure)
        case .command(let id): commandFailed(id, failure)
        }
    }

    // MARK: The process

    /// Takes up what an earlier process left. Nobody could renew a lease while there was no coordinator, so every
    /// worker's silence counts from now on: each has the whole of it to come back with its inventory.
    private mutating func recover(_ workers: [WorkerRecord], _ live: [LiveAttempt]) {
        for record in workers {
            self.workers[record.registration.id] = record
            recoverQuarantine(of: record)
        }
        hold(live)
        for attempt in live { noteSign(of: attempt.lease.worker) }
        effects.append(.turn(.queue))
        endDrained()
    }

    private mutating func stop() {
        isStopping = true
        for id in sessions.ids { end(id, .close) }
    }

    /// What was asked for may be stored after all: what would have followed from it is looked for in the store.
    private mutating func lookAgain() {
        post(.queueChanged)
        wakeQueue(at: moment.wall.advanced(by: storeFailureDelay))
        effects.append(.lookAgain)
    }

    mutating func logStandstill(_ what: String, _ failure: Failure) {
        guard failure != .stopped else { return }
        log(.error, "\(what) still for a second: \(failure)")
    }

    mutating func log(_ severity: Severity, _ message: String, _ worker: WorkerID? = nil) {
        effects.append(.log(severity, message, worker))
    }
}

/// Wait after the store failed.
let storeFailureDelay = Duration.seconds(1)
