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
        var backoff = Backoff()
        var pause = Duration.zero
        while true {
            let stream = ExecStream(self, job: job, spec)
            do {
                try await stream.open()
                return stream
            } catch let error as SandpoolError
                where error.code == APIError.startingCode || (waitsInQueue && error.code == APIError.notStartedCode)
            {
                try await waitForStart(of: try await self.job(job).id, isQueueAwaited: waitsInQueue)
                // The two answers can differ for a while; only the first time is asked again at once.
                if pause > .zero { try await Task.sleep(for: pause) }
                pause = backoff.pause()
            }
        }
    }

    /// Until it runs, has ended, or went back to the queue.
    private func waitForStart(of id: JobID, isQueueAwaited: Bool) async throws {
        let stream = JobStream(self, following: id, stdout: .max, stderr: .max)
        while let event = try await stream.next() {
            switch event {
            case .state(.running, _), .finished: return
            case .state(.queued, _): if !isQueueAwaited { return }
            case .created, .state, .output, .reconnecting: continue
            }
        }
    }
}
