import Hummingbird
import SandpoolAPI
import SandpoolModel
import SandpoolStore

/// `/v1/workers`.
struct WorkerHandlers: Sendable {
    let parts: CoordinatorParts

    func list() async throws -> Response {
        try .json(try await parts.store.workers().map(info))
    }

    func show(_ reference: String) async throws -> Response {
        try .json(info(try await record(reference)))
    }

    func drain(_ reference: String) async throws -> Response {
        try await setDrain(Drain(reason: "drained by an operator", deadline: nil), reference)
    }

    func resume(_ reference: String) async throws -> Response { try await setDrain(nil, reference) }

    private func setDrain(_ drain: Drain?, _ reference: String) async throws -> Response {
        var record = try await record(reference)
        let id = record.registration.id
        guard try await parts.store.setDrain(drain, worker: id) else { throw APIError.notFound("worker \(id)") }
        record.drain = drain
        parts.workers.setDrain(drain, of: id)
        parts.scheduler.post(.drain(id, drain != nil))
        if drain != nil { parts.sessions.session(of: id)?.send(.drain) }
        return try .json(info(record))
    }

    /// Takes a worker off the list. Its operator vouches that it is dead, so what it held ends or runs again.
    func forget(_ reference: String) async throws -> Response {
        let record = try await record(reference)
        let id = record.registration.id
        parts.sessions.session(of: id)?.abort("an operator forgot the worker")
        parts.scheduler.post(.disconnected(id))
        await parts.scheduler.settle()
        let live = try await parts.store.liveAttempts(worker: id)
        try await parts.ledger.recordLosses(live.map { .workerLost($0.lease, "an operator forgot its worker") })
        _ = try await parts.store.forgetWorker(id, now: parts.clock.now)
        parts.workers.remove(id)
        parts.leases.forget(id)
        return try .json(info(record))
    }

    /// A worker by id, name, or unique suffix of its id.
    private func record(_ reference: String) async throws -> WorkerRecord {
        let shown = TerminalText.harmless(reference, limit: 64)
        let all = try await parts.store.workers()
        if let exact = all.first(where: { $0.registration.id.text == reference }) { return exact }
        let named = all.filter { $0.registration.name == reference }
        let matches = named.isEmpty ? all.filter { $0.registration.id.text.hasSuffix(reference) } : named
        guard let first = matches.first else { throw APIError.notFound("worker '\(shown)'") }
        guard matches.count == 1 else {
            throw APIError(
                status: 409, code: "ambiguous", message: "'\(shown)' names more than one worker",
                hint: "use more digits of the id")
        }
        return first
    }

    private func info(_ record: WorkerRecord) -> WorkerInfo {
        let registration = record.registration
        let held = parts.table.attempts(of: registration.id)
        let session = parts.sessions.session(of: registration.id)
        return WorkerInfo(
            id: registration.id, name: registration.name, state: state(record, isConnected: session != nil),
            labels: registration.labels, capacity: registration.capacity,
            used: held.reduce(.zero) { $0 + $1.resources }, running: held.count { $0.state == .running },
            images: registration.images, softwareVersion: registration.softwareVersion,
            connectedAt: session?.openedAt, lastSeenAt: session == nil ? record.lastSeenAt : parts.clock.now)
    }

    private func state(_ record: WorkerRecord, isConnected: Bool) -> String {
        if isConnected { return record.drain == nil ? "connected" : "draining" }
        return parts.leases.isSilent(record.registration.id) ? "gone" : "unreachable"
    }
}
