import SandpoolModel
import SandpoolStore
import Testing

@testable import SandpoolCoordinator

extension SteppedCoordinator {
    /// Submits a job and has the scheduler ask for a lease to the only worker, which is left outstanding.
    mutating func lease(_ worker: WorkerID) throws -> JobID {
        let job = id(JobID.self)
        feed(.submitted(deadlines: []))
        turn(.scheduler)
        let queued = QueuedJob(
            id: job, position: QueuePosition(priority: 0, sequence: 1),
            resources: Resources(cpuMillis: 1_000, memoryBytes: 1 << 30, diskBytes: 0), require: [:], image: nil,
            demand: "d", createdAt: Self.start, triedWorkers: [])
        try answer(.scheduler, .jobs([queued]))
        #expect(calls[.scheduler] == .lease([.init(job: job, worker: worker)]))
        return job
    }
}
