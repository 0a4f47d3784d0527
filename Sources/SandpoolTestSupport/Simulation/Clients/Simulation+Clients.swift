import SandpoolCoordinator
import SandpoolModel
import SandpoolStore

/// A client with one job: it submits with an idempotency key until it is told the job's id, and may cancel it.
struct Client {
    let plan: JobPlan
    /// Told by the coordinator: from here on the job must not be lost.
    var id: JobID?
    var isAccepted = false
    var isCancelAccepted = false
    var tries = 0

    init(_ plan: JobPlan) { self.plan = plan }
}

extension Simulation {
    func clientActs(_ job: Int, _ duty: ClientDuty) {
        switch duty {
        case .submit: submit(job)
        case .submitArrives: submitArrives(job)
        case .isStored(let id, let isNew, let start, let called): isStored(job, id, isNew, start, called)
        case .isAccepted(let id): isAccepted(job, id)
        case .cancel: cancel(job)
        case .cancelArrives: cancelArrives(job)
        case .cancelIsAnswered(let reply): cancelIsAnswered(job, reply)
        }
    }

    /// How long a client's message takes; now and then it does not arrive at all.
    private func travel() -> Int64? {
        guard isCalm || !chance.one(in: 8) else { return nil }
        return chance.number(scenario.latency)
    }

    private func submit(_ job: Int) {
        guard !clients[job].isAccepted else { return }
        clients[job].tries += 1
        if clients[job].tries == 2 { note(.submittedAgain) }
        if let delay = travel() { after(delay, .client(job: job, .submitArrives)) }
        // Whatever becomes of it, it is tried again until there is an answer.
        after(chance.number(Int64(2_000_000)...6_000_000), .client(job: job, .submit))
    }

    private func submitArrives(_ job: Int) {
        guard coordinator.process?.isListening ?? false else { return }
        add(.submit(job: job, now: coordinator.clock.wall(at: now)))
    }

    /// What the handler does once the commit has returned.
    private func isStored(_ job: Int, _ id: JobID, _ isNew: Bool, _ start: Int, _ called: Timestamp) {
        guard coordinator.process?.start == start else { return }
        let seconds = isNew ? scenario.jobs[job].spec.queueTimeoutSeconds : nil
        feed(.submitted(deadlines: seconds.map { [called.advanced(by: .seconds($0))] } ?? []))
        if let delay = travel() { after(delay, .client(job: job, .isAccepted(id))) }
    }

    private func isAccepted(_ job: Int, _ id: JobID) {
        guard !clients[job].isAccepted else {
            if clients[job].id != id { fail("one key names two jobs, \(id) and another") }
            return
        }
        clients[job].isAccepted = true
        say("client \(job) is told \(id)")
        if clients[job].id != id { fail("client \(job) is told \(id), and its job is another") }
        if let delay = clients[job].plan.cancelAfter { after(delay, .client(job: job, .cancel)) }
    }

    private func cancel(_ job: Int) {
        guard !clients[job].isCancelAccepted else { return }
        if let delay = travel() { after(delay, .client(job: job, .cancelArrives)) }
        after(chance.number(Int64(2_000_000)...6_000_000), .client(job: job, .cancel))
    }

    private func cancelArrives(_ job: Int) {
        guard let process = coordinator.process, process.isListening, let id = clients[job].id else { return }
        let command = CommandID(process.commandCount)
        coordinator.process?.commandCount += 1
        coordinator.process?.commands[command] = job
        feed(.command(command, .cancel(id)))
    }

    func answer(_ command: CommandID, _ reply: CoordinatorState.Reply) {
        guard let job = coordinator.process?.commands.removeValue(forKey: command) else { return }
        if let delay = travel() { after(delay, .client(job: job, .cancelIsAnswered(reply))) }
    }

    private func cancelIsAnswered(_ job: Int, _ reply: CoordinatorState.Reply) {
        switch reply {
        case .done: clients[job].isCancelAccepted = true
        case .notFound: fail("the coordinator does not know a job that it accepted")
        // It is asked again, as where no answer comes.
        case .failed: break
        }
    }

    func jobIndex(_ id: JobID) -> Int? { clients.firstIndex { $0.id == id } }
}
