import SandpoolAPI
import SandpoolModel

/// Further commands in sandboxes.
extension Pool {
    /// Asks for a command in a job's sandbox, which may be in the making: what a job writes can be here before the word
    /// that it runs.
    ///
    /// - Parameters:
    ///   - job: an id, a name, the unique end of an id, or `@last`.
    ///   - waitsInQueue: whether it waits for a job that has no worker yet, too.
    /// - Throws: `SandpoolError` with the status of the refusal: 404, 409 where the job does not run, 422.
    public func exec(in job: String, _ spec: ExecSpec, waitsInQueue: Bool) async throws -> ExecStream {
        try await exec(in: job, spec, waitsInQueue: waitsInQueue, patience: .seconds(30))
    }

    /// - Parameter patience: for how long the coordinator may say that the job runs, and refuse as it does not yet.
    func exec(
        in job: String, _ spec: ExecSpec, waitsInQueue: Bool, patience: Duration
    ) async throws -> ExecStream {
        var backoff = Backoff(patience: patience)
        var pause = Duration.zero
        while true {
            let stream = ExecStream(self, job: job, spec)
            do {
                try await stream.open()
                return stream
            } catch let error as SandpoolError
                where error.code == APIError.startingCode || (waitsInQueue && error.code == APIError.notStartedCode)
            {
                let id = try await self.job(job).id
                if try await waitForStart(of: id, isQueueAwaited: waitsInQueue) { backoff.reset() }
                // The two answers can differ for a while; only the first time is asked again at once.
                if pause > .zero { try await Task.sleep(for: pause) }
                pause = try backoff.delay(after: .contradiction(about: id, error))
            }
        }
    }

    /// Until it runs, has ended, or went back to the queue.
    ///
    /// - Returns: whether it was told to be on its way there before.
    private func waitForStart(of id: JobID, isQueueAwaited: Bool) async throws -> Bool {
        let stream = JobStream(self, following: id, stdout: .max, stderr: .max)
        var hasWaited = false
        following: while let event = try await stream.next() {
            switch event {
            case .state(.running, _), .finished: break following
            case .state(.queued, _) where !isQueueAwaited: break following
            case .state: hasWaited = true
            case .created, .output, .reconnecting: continue
            }
        }
        // Left open it would hold a job that ends with its last follower.
        await stream.close()
        return hasWaited
    }
}

extension SandpoolError {
    fileprivate static func contradiction(about job: JobID, _ refusal: SandpoolError) -> SandpoolError {
        SandpoolError(
            code: refusal.code, message: "the coordinator says that job \(job) runs, and refuses as it does not yet",
            hint: "restart the coordinator, which loses nothing, and try again", status: refusal.status)
    }
}
