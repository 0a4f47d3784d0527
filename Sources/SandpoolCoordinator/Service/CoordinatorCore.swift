import Logging
import NIOCore
import SandpoolAPI
import SandpoolModel
import SandpoolStore
import Synchronization

/// Drives `CoordinatorState`: feeds it what happens, one event at a time, and does what its steps ask for.
///
/// What never waits is done under the lock, so that effects happen in the order of the steps that asked for them. None
/// of it comes back here. A message gets its place there, and is encoded once the lock is free. What waits, calls to
/// the store and output to be placed, is left to who fed the event: each conversation is a task, and so the store sees
/// the calls of all of them at once.
final class CoordinatorCore: Sendable {
    /// Wakes one of the conversations that last as long as the coordinator.
    private struct Bell: Sendable {
        let signal: Signal
        let alarm: Alarm

        init(_ clock: any CoordinatorClock, _ eventLoop: any EventLoop) {
            signal = Signal()
            alarm = Alarm(signal: signal, clock: clock, eventLoop: eventLoop)
        }
    }

    private struct PendingCommand: Sendable {
        let signal: Signal
        var reply: CoordinatorState.Reply?
    }

    private struct Guarded: Sendable {
        var state: CoordinatorState
        var links: [SessionID: WorkerLink] = [:]
        var commands: [CommandID: PendingCommand] = [:]
        /// Numbers sessions and commands.
        var count: UInt64 = 0
    }

    /// What is left of an effect for when the lock is free: encoding takes time, and nobody may read the log.
    fileprivate enum Later {
        case flush(WorkerLink)
        case end(WorkerLink, CoordinatorState.SessionEnd)
        case log(CoordinatorState.Severity, String, WorkerID?)
    }

    private let store: any JobStore
    private let output: OutputStore
    private let clock: any CoordinatorClock
    private let hub: FollowerHub
    private let inputs: InputRelays<JobID>
    private let execs: ExecTable
    private let logger: Logger
    private let bells: [Conversation: Bell]
    /// Rings when jobs may have ended without a word of it here.
    private let doubts: Bell
    private let guarded: Mutex<Guarded>

    init(
        store: any JobStore, output: OutputStore, clock: any CoordinatorClock, hub: FollowerHub,
        inputs: InputRelays<JobID>, execs: ExecTable, timings: CoordinatorTimings, eventLoop: any EventLoop,
        logger: Logger
    ) {
        self.store = store
        self.output = output
        self.clock = clock
        self.hub = hub
        self.inputs = inputs
        self.execs = execs
        self.logger = logger
        bells = Dictionary(uniqueKeysWithValues: Self.lasting.map { ($0, Bell(clock, eventLoop)) })
        doubts = Bell(clock, eventLoop)
        guarded = Mutex(
            Guarded(
                state: CoordinatorState(
                    timings: timings, generation: store.identity.generation,
                    lostFutures: store.identity.lostFutures)))
    }

    // MARK: Steps

    /// Takes an event in and does what follows, but for what waits: that is returned, for the caller to do.
    @discardableResult
    func feed(_ event: CoordinatorState.Event) -> CoordinatorState.Effect? {
        var own: CoordinatorState.Effect?
        var later: [Later] = []
        guarded.withLock { guarded in
            for effect in guarded.state.step(event, at: clock.moment) {
                switch effect {
                case .call, .append, .publishOutput: own = effect
                default: perform(effect, &guarded, &later)
                }
            }
        }
        for rest in later { perform(rest) }
        return own
    }

    private func perform(
        _ effect: CoordinatorState.Effect, _ guarded: inout Guarded, _ later: inout [Later]
    ) {
        switch effect {
        case .turn(.session(let id)): guarded.links[id]?.turns.raise()
        case .turn(.command(let id)): guarded.commands[id]?.signal.raise()
        case .turn(let conversation): bells[conversation]?.signal.raise()
        case .wake(let conversation, let moment): bells[conversation]?.alarm.set(moment)
        case .send(let id, let message):
            guard let link = guarded.links[id] else { return }
            link.queue(message)
            later.flush(link)
        case .pause(let id): guarded.links[id]?.pause()
        case .resume(let id): guarded.links[id]?.resume()
        case .end(let id, let reason): if let link = guarded.links[id] { later.append(.end(link, reason)) }
        case .pushInput(let job, let lease, let id, let again):
            guard let link = guarded.links[id] else { return }
            inputs.push(job, for: lease, to: link, again: again)
            later.flush(link)
        case .dropInput(let job): inputs.drop(job)
        case .publish(let job, let notice): hub.publish(notice, of: job)
        case .lookAgain: doubts.signal.raise()
        case .reply(let id, let reply):
            guarded.commands[id]?.reply = reply
            guarded.commands[id]?.signal.raise()
        case .log(let severity, let message, let worker): later.append(.log(severity, message, worker))
        case .call, .append, .publishOutput: break
        }
    }

    private func perform(_ rest: Later) {
        switch rest {
        case .flush(let link): link.flush()
        case .end(let link, let reason):
            link.end(reason)
            // Nothing that it says is listened to any more, and its connection may outlast it.
            execs.end(of: link)
        case .log(let severity, let message, let worker):
            logger.log(
                level: severity == .error ? .error : .info, "\(message)",
                metadata: worker.map { ["worker": "\($0)"] })
        }
    }

    // MARK: Conversations

    /// Those that last as long as the coordinator.
    private static let lasting: [Conversation] = [.scheduler, .queue, .leases, .drains, .quarantines]

    /// Works until `stop` or cancellation.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            for (conversation, bell) in bells {
                group.addTask {
                    while await bell.signal.wait() { await self.converse(.turn(conversation)) }
                }
            }
            while await doubts.signal.wait() { await lookAgain() }
        }
    }

    /// Ends `run`; what has begun is finished first.
    func stop() {
        for bell in bells.values { bell.signal.close() }
        doubts.signal.close()
    }

    /// Tells who follows a job that has ended.
    private func lookAgain() async {
        do {
            for id in hub.jobs {
                guard let job = try await store.job(id), job.state.isTerminal else { continue }
                hub.publish(.finished, of: id)
            }
        } catch {
            logger.error("whether jobs have ended is not known for a second: \(error)")
            doubts.alarm.set(clock.uptime + storeFailureDelay)
        }
    }

    /// Feeds an event of a conversation, and makes the calls that follow, one after another.
    private func converse(_ event: CoordinatorState.Event) async { await follow(feed(event)) }

    /// Makes a call, and those that follow from its answer.
    private func follow(_ effect: CoordinatorState.Effect?) async {
        var next = effect
        while case .call(let conversation, let call) = next {
            do {
                next = feed(.answered(conversation, try await store.answer(call, output: output, now: clock.now)))
            } catch {
                next = feed(.failed(conversation, Failure(error)))
            }
        }
    }

    /// Does what a command asks for.
    func run(_ command: CoordinatorState.Command) async -> CoordinatorState.Reply {
        let signal = Signal()
        let id = guarded.withLock { guarded in
            guarded.count += 1
            let id = CommandID(guarded.count)
            guarded.commands[id] = PendingCommand(signal: signal)
            return id
        }
        defer { guarded.withLock { $0.commands[id] = nil } }
        await converse(.command(id, command))
        while true {
            if let reply = guarded.withLock({ $0.commands[id]?.reply }) { return reply }
            guard await signal.wait() else {
                feed(.abandoned(id))
                return .failed(.stopped)
            }
            await converse(.turn(.command(id)))
        }
    }

    // MARK: Sessions

    /// Numbers a session that begins.
    func begin(_ make: (SessionID) -> WorkerLink) -> WorkerLink {
        guarded.withLock { guarded in
            guarded.count += 1
            let link = make(SessionID(guarded.count))
            guarded.links[link.id] = link
            return link
        }
    }

    /// Takes a session's hello in; what comes of it is for `serve`. Does not wait, so that `end` cannot come before it.
    func open(_ link: WorkerLink, _ hello: WorkerHello) -> CoordinatorState.Effect? {
        feed(.opened(link.id, hello, token: link.token))
    }

    /// Serves a session's conversation from what `open` returned on, until `end`.
    func serve(_ link: WorkerLink, from first: CoordinatorState.Effect?) async {
        await follow(first)
        while await link.turns.wait() { await converse(.turn(.session(link.id))) }
    }

    /// The session's connection is over.
    func end(_ link: WorkerLink) {
        link.turns.close()
        feed(.closed(link.id))
        guarded.withLock { $0.links[link.id] = nil }
    }

    /// Places output that came, or does with it whatever else is to be done.
    func take(_ bytes: ByteBuffer, _ range: OutputRange, of link: WorkerLink) async {
        guard case .append(_, let stream, let offset, _) = feed(.output(link.id, range)) else { return }
        let event: CoordinatorState.Event
        do {
            event = .appended(link.id, try await output.append(stream, offset: offset, bytes))
        } catch {
            event = .appendFailed(link.id, Failure(error))
        }
        guard case .publishOutput = feed(event) else { return }
        hub.publish(stream.code, offset: offset, bytes, at: clock.now, of: stream.job)
    }

    /// Makes output durable as it comes, everything that came together with one pass. Until `dirtySignal` is closed.
    func syncOutput() async {
        while await output.dirtySignal.wait() {
            do {
                let (synced, failed) = try await output.syncDirty()
                for stream in synced { feed(.synced(stream.stream, end: stream.end)) }
                for (stream, error) in failed { feed(.syncFailed(stream, Failure(error))) }
            } catch {
                logger.error("output could not be stored: \(error)")
            }
        }
    }

    // MARK: Reads

    /// The attempt that is held under just this lease.
    func attempt(_ lease: LeaseKey) -> RunningAttempt? { guarded.withLock { $0.state.attempt(lease) } }

    func attempt(of job: JobID) -> RunningAttempt? { guarded.withLock { $0.state.attempt(of: job) } }

    /// Oldest first.
    func attempts(of worker: WorkerID) -> [RunningAttempt] { guarded.withLock { $0.state.attempts(of: worker) } }

    /// The open session of a connected worker.
    func session(of worker: WorkerID) -> WorkerLink? {
        guarded.withLock { guarded in guarded.state.session(of: worker).flatMap { guarded.links[$0] } }
    }

    /// Why a worker gets no jobs, whatever operators say.
    func hindrance(of session: WorkerLink) -> String? { guarded.withLock { $0.state.hindrance(of: session.id) } }

    /// A worker's quarantine, and whether a job may try it by now.
    func quarantine(of worker: WorkerID) -> (quarantine: Quarantine, isOnTrial: Bool)? {
        guarded.withLock { $0.state.quarantine(of: worker) }
    }

    func isSilent(_ worker: WorkerID) -> Bool { guarded.withLock { $0.state.isSilent(worker, at: clock.moment) } }

    /// The enrolled workers, connected or not, by name, then id.
    var workers: [WorkerRecord] {
        guarded.withLock { $0.state.enrolled }.sorted { left, right in
            (left.registration.name, left.registration.id) < (right.registration.name, right.registration.id)
        }
    }
}

extension [CoordinatorCore.Later] {
    /// Once for what is queued together.
    fileprivate mutating func flush(_ link: WorkerLink) {
        if case .flush(let last) = last, last === link { return }
        append(.flush(link))
    }
}

extension FollowerHub {
    fileprivate func publish(_ notice: CoordinatorState.Notice, of job: JobID) {
        switch notice {
        case .begin(let attempt): begin(attempt, of: job)
        case .state(let state, let note): publish(.state(state, note: note), to: job)
        case .tail(let tail, let moment):
            guard !of(job).isEmpty else { return }
            publish(
                tail.stream == .stdout ? .stdout : .stderr, offset: tail.offset, ByteBuffer(bytes: tail.bytes),
                at: moment, of: job)
        case .finished: publish(.finished(job), to: job)
        }
    }
}
