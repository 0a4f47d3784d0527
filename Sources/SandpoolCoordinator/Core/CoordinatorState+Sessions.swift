import SandpoolAPI
import SandpoolModel
import SandpoolStore

/// What sessions have in common, whether they are being opened, open or over.
extension CoordinatorState {
    /// A sign of life; whether the session is its worker's.
    @discardableResult
    mutating func heard(_ id: SessionID) -> Bool {
        guard sessions.isOpen(id), let worker = sessions.all[id]?.worker else { return false }
        noteSign(of: worker)
        return true
    }

    /// Sends a message where the worker is connected.
    mutating func send(_ message: CoordinatorMessage, to worker: WorkerID) {
        guard let session = sessions.current(of: worker) else { return }
        effects.append(.send(session, message))
    }

    mutating func turnOfSession(_ id: SessionID) {
        guard let session = sessions.all[id], !session.isOver else { return }
        if let opening = session.opening { turnOfOpening(id, opening) } else { record(id) }
    }

    mutating func sessionAnswered(_ id: SessionID, _ answer: StoreAnswer) {
        guard let session = sessions.all[id] else { return }
        if let opening = session.opening { openingAnswered(id, opening, answer) } else { recorded(id, answer) }
        dropIfDone(id)
    }

    mutating func sessionFailed(_ id: SessionID, _ failure: Failure) {
        if sessions.all[id]?.opening == nil {
            // Nothing was answered, so the worker reports it all again to its next session.
            end(id, .abort("reports could not be recorded: \(failure)"))
        } else {
            end(id, .refuse(APIError(any: failure.error)))
        }
        dropIfDone(id)
    }

    // MARK: The end

    /// Ends a session from this side.
    mutating func end(_ id: SessionID, _ reason: SessionEnd) {
        guard let session = sessions.all[id], !session.isOver else { return }
        effects.append(.end(id, reason))
        leave(id)
    }

    mutating func endSession(of worker: WorkerID, _ reason: SessionEnd) {
        if let id = sessions.current(of: worker) { end(id, reason) }
    }

    mutating func close(_ id: SessionID) {
        guard sessions.all[id] != nil else { return sessions.miss(id) }
        leave(id)
        sessions.all[id]?.isClosed = true
        dropIfDone(id)
    }

    private mutating func leave(_ id: SessionID) {
        guard let worker = sessions.all[id]?.worker else { return }
        if sessions.leave(id) { post(.disconnected(worker)) }
        scheduling.waiting.removeAll { $0 == .session(id) }
    }

    /// A session whose call is outstanding is kept for the answer: what was stored has to be passed on.
    private mutating func dropIfDone(_ id: SessionID) {
        guard sessions.all[id]?.isClosed ?? false, !isOutstanding(.session(id)) else { return }
        sessions.remove(id)
    }
}
