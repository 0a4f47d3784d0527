import SandpoolAPI
import SandpoolModel
import SandpoolStore

/// Says in words what a job waits for, or what ended it.
struct Explainer: Sendable {
    let parts: CoordinatorParts

    /// - Parameter isHeld: whether it waits for an operator's word.
    func explain(_ job: Job, isHeld: Bool) -> Explanation {
        let reasons =
            isHeld
            ? [
                "it is held: it waited when the backup was made that this pool was restored from, may have run since, "
                    + "and a second run may do harm",
                "'sandpool release \(job.id.short)' has it run, 'sandpool cancel \(job.id.short)' ends it",
            ] : reasons(of: job)
        return Explanation(id: job.id, state: job.state, reasons: reasons)
    }

    private func reasons(of job: Job) -> [String] {
        switch job.state {
        case .queued: queued(job)
        case .starting, .running: underWay(job)
        case .succeeded: ["the command exited with 0"]
        case .failed, .timedOut, .cancelled, .errored: ended(job)
        }
    }

    private func queued(_ job: Job) -> [String] {
        let records = parts.core.workers
        guard !records.isEmpty else { return ["no worker is enrolled; start one with 'sandpool worker start'"] }
        let wanted = Resources(job.spec.resources)
        let offers = records.map(WorkerOffer.init)
        if let problem = Feasibility.problem(of: job.spec, resources: wanted, with: offers) {
            return [problem.message, problem.hint]
        }
        var reasons: [String] = []
        if let last = job.attempts.last {
            reasons.append("attempt \(job.attempts.count) ended: \(last.outcome?.message ?? "it was given back")")
        }
        for record in records {
            let offer = WorkerOffer(record)
            guard offer.suits(resources: wanted, require: job.spec.require, image: job.spec.image) else { continue }
            reasons.append("\(record.registration.name) (\(offer.id)): \(hindrance(record, wanted))")
        }
        return reasons
    }

    /// Why a worker that suits a job does not run it now.
    private func hindrance(_ record: WorkerRecord, _ wanted: Resources) -> String {
        let id = record.registration.id
        if let drain = record.drain { return "is draining (\(drain.reason)); 'sandpool worker resume' ends that" }
        guard let session = parts.core.session(of: id) else { return "is not connected" }
        if let hindrance = parts.core.hindrance(of: session) {
            let isTrusted = session.verification?.isTrusted ?? true
            return "gets no jobs: \(hindrance)" + (isTrusted ? "" : "; 'sandpool worker verify' there tells more")
        }
        if let (quarantine, isOnTrial) = parts.core.quarantine(of: id) {
            let next = isOnTrial ? "one job at a time tries it" : "a job tries it from \(quarantine.until) on"
            return "is quarantined (\(quarantine.reason)); \(next), 'sandpool worker resume' ends that at once"
        }
        let used = parts.core.attempts(of: id).reduce(Resources.zero) { $0 + $1.resources }
        let lacks = Feasibility.lacking(wanted, in: record.registration.capacity - used, "free are")
        guard !lacks.isEmpty else { return "has room; the job, or jobs before it, are about to start" }
        return lacks.joined(separator: ", ")
    }

    private func underWay(_ job: Job) -> [String] {
        guard let attempt = job.attempts.last else { return ["no attempt is known"] }
        let stage =
            switch attempt.state {
            case .leased: "was given to the worker, which has not begun it"
            case .preparing: "fetches what the job needs and sets the sandbox up"
            case .building: "builds the image"
            case .running: "runs the command"
            case .finished, .lost, .superseded: "has ended"
            }
        var reasons = ["attempt \(job.attempts.count) on \(attempt.worker): \(stage)"]
        if parts.core.session(of: attempt.worker) == nil {
            reasons.append("\(attempt.worker) is not connected; what it runs goes on, and is reported when it is back")
        }
        return reasons
    }

    private func ended(_ job: Job) -> [String] {
        var reasons: [String] = []
        if let cause = job.cause { reasons.append(Self.words(for: cause, job)) }
        if let message = job.message, !reasons.contains(message) { reasons.append(message) }
        if job.attempts.count > 1 { reasons.append("it was tried \(job.attempts.count) times") }
        return reasons.isEmpty ? ["it ended without a recorded cause"] : reasons
    }

    private static func words(for cause: Cause, _ job: Job) -> String {
        let memory = job.spec.resources.memoryBytes ?? 0
        let disk = job.spec.resources.diskBytes ?? 0
        let output = job.spec.resources.outputBytes ?? 0
        let timeout = job.spec.timeoutSeconds ?? 0
        return switch cause {
        case .exited: "the command exited with \(job.exitCode ?? 0); read 'sandpool logs \(job.id.short)'"
        case .signaled: "the command was ended by signal \(job.signal ?? 0), by itself or from inside the sandbox"
        case .oom: "memory ran out at \(ByteSize.format(memory)); try --memory \(ByteSize.format(memory * 2))"
        case .diskLimit: "the disk was full at \(ByteSize.format(disk)); try --disk \(ByteSize.format(disk * 2))"
        case .outputLimit:
            "a stream had more output than \(ByteSize.format(output)); "
                + "try --output-limit \(ByteSize.format(output * 2)) or --on-output-limit truncate"
        case .timeout: "it ran longer than \(timeout) s; try --timeout \(timeout * 2)"
        case .idleTimeout: "it wrote nothing for \(job.spec.idleTimeoutSeconds ?? 0) s; raise --idle-timeout"
        case .queueTimeout: "no worker had room within its queue timeout; raise --queue-timeout or add workers"
        case .cancelled: "it was cancelled"
        case .buildFailed: "a step of its image's recipe failed"
        case .setupFailed: "its sandbox could not be set up; 'sandpool doctor' on the worker checks the host"
        case .fetchFailed: "something it needs could not be fetched"
        case .workerLost: "its worker was lost; run it again, with --rerun safe if a second run does no harm"
        case .preempted: "its worker was drained; run it again, with --rerun safe if a second run does no harm"
        }
    }
}
