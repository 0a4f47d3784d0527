import SandpoolModel
import SandpoolStore

extension JobStore {
    /// Makes a call that is given as data.
    func answer(_ call: StoreCall, output: OutputStore, now: Timestamp) async throws -> StoreAnswer {
        switch call {
        case .page(let limit, let position): return .jobs(try await claimable(limit: limit, after: position))
        case .demands(let limit, let demand): return .jobs(try await demands(limit: limit, after: demand))
        case .draw(let demands, let limit):
            var lines: [[QueuedJob]] = []
            for demand in demands { lines.append(try await claimable(limit: limit, of: demand)) }
            return .lines(lines)
        case .lease(let placements):
            let requests = placements.map {
                LeaseRequest(job: $0.job, attempt: .make(at: now), worker: $0.worker)
            }
            return .leased(try await lease(requests, now: now))
        case .advanceQueue: return .advanced(try await advanceQueue(now: now))
        case .nextQueueDeadline: return .deadline(try await nextQueueDeadline())
        case .cancel(let job): return .cancelled(try await cancel(job, now: now))
        case .recordProgress(let reports): return .verdicts(try await recordProgress(reports, now: now))
        case .liveAttempts(let worker): return .live(try await liveAttempts(worker: worker))
        case .setUnreachable(let worker, let isUnreachable):
            try await setUnreachable(worker: worker, since: isUnreachable ? now : nil)
            return .done
        case .upsertWorker(let registration, let token):
            return .enrolled(try await upsertWorker(registration, token: token, now: now))
        case .flush(let streams):
            var ends: [Int64] = []
            for stream in streams { ends.append(try await output.flush(stream)) }
            return .flushed(ends)
        case .recordResults(let reports): return .ends(try await recordResults(reports, now: now))
        case .returnLeases(let leases): return .ends(try await returnLeases(leases, now: now))
        case .recordLosses(let losses): return .ends(try await recordLosses(losses, now: now))
        case .setDrain(let drain, let worker): return .known(try await setDrain(drain, worker: worker))
        case .setQuarantine(let quarantine, let worker):
            return .known(try await setQuarantine(quarantine, worker: worker))
        case .forgetWorker(let worker): return .known(try await forgetWorker(worker, now: now))
        }
    }
}
