import SandpoolAPI
import SandpoolModel
import SandpoolStore

/// Output that came in a frame; its bytes are the driver's.
package struct OutputRange: Hashable, Sendable {
    package var attempt: AttemptID
    package var epoch: Int64
    package var stream: OutputStreamCode
    package var offset: Int64
    package var count: Int

    package init(attempt: AttemptID, epoch: Int64, stream: OutputStreamCode, offset: Int64, count: Int) {
        self.attempt = attempt
        self.epoch = epoch
        self.stream = stream
        self.offset = offset
        self.count = count
    }
}

/// Output from workers: placed by offset, shown to followers, and acknowledged once it is durable.
extension CoordinatorState {
    /// Has the bytes placed. Those of an attempt that the worker does not hold are dropped.
    mutating func take(_ range: OutputRange, of id: SessionID) {
        guard heard(id), let worker = sessions.all[id]?.worker,
            let attempt = attempts[LeaseKey(attempt: range.attempt, epoch: range.epoch, worker: worker)]
        else { return }
        let limit = attempt.spec.resources.outputBytes ?? .max
        // A stream that was cut ends with the mark that says so.
        guard range.offset - SpecBounds.outputMarkBytes <= limit - Int64(range.count) else {
            return refuse(id, "output of \(range.attempt) beyond its limit of \(limit) bytes")
        }
        let stream = attempt.stream(range.stream)
        sessions.all[id]?.placing = (stream, range.offset)
        effects.append(.append(id, stream, offset: range.offset, count: range.count))
    }

    mutating func appended(_ appended: OutputAppended, of id: SessionID) {
        guard let (stream, offset) = sessions.all[id]?.placing else { return }
        sessions.all[id]?.placing = nil
        switch appended {
        case .stored: effects.append(.publishOutput(id, stream, offset: offset))
        case .repeated:
            if let attempt = attempts[stream.attempt] { acknowledge(attempt) }
        case .gap(let end):
            refuse(id, "output of \(stream.attempt) goes on at \(offset), and only \(end) bytes are here")
        }
    }

    mutating func appendFailed(_ failure: Failure, of id: SessionID) {
        guard sessions.all[id]?.placing != nil else { return }
        sessions.all[id]?.placing = nil
        end(id, .refuse(APIError(any: failure.error)))
    }

    private mutating func refuse(_ id: SessionID, _ what: String) {
        end(id, .refuse(APIError(any: FrameError.malformed(what))))
    }

    mutating func synced(_ stream: OutputStreamID, to end: Int64) {
        if let attempt = attempts.noteDurable(stream, to: end) { acknowledge(attempt) }
    }

    mutating func syncFailed(_ stream: OutputStreamID, _ failure: Failure) {
        log(.error, "output could not be stored: \(failure)")
        guard let attempt = attempts[stream.attempt] else { return }
        endSession(of: attempt.lease.worker, .abort("its output could not be stored: \(failure)"))
    }

    /// Tells a worker what of an attempt's output is durable.
    private mutating func acknowledge(_ attempt: RunningAttempt) {
        let (stdout, stderr) = (attempt.durableStdout, attempt.durableStderr)
        send(
            .outputDurable(AttemptLease(attempt.lease), stdout: stdout, stderr: stderr), to: attempt.lease.worker)
    }
}
