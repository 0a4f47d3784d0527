import Hummingbird
import SandpoolAPI
import SandpoolModel
import SandpoolStore

/// `/v1/workers`.
struct WorkerHandlers: Sendable {
    let parts: CoordinatorParts

    /// A year.
    private static let longestDrainSeconds = 365.0 * 86_400

    func list() async throws -> Response {
        try .json(try await parts.store.workers().map(info))
    }

    func show(_ reference: String) async throws -> Response {
        try .json(info(try await record(reference)))
    }

    func drain(_ reference: String, _ request: Request) async throws -> Response {
        let drain = try await wanted(request)
        var record = try await record(reference)
        try await run(.drain(record.registration.id, drain), on: record)
        record.drain = drain
        return try .json(info(record))
    }

    /// Ends a drain. A worker that drains does so to the end of its session, so that it begins a new one.
    func resume(_ reference: String) async throws -> Response {
        var record = try await record(reference)
        let session = parts.core.session(of: record.registration.id)
        try await run(.drain(record.registration.id, nil), on: record)
        record.drain = nil
        return try .json(info(record, session))
    }

    /// The drain that a request asks for.
    private func wanted(_ request: Request) async throws -> Drain {
        let body = try await request.wholeBody()
        let wanted = body.readableBytes == 0 ? DrainRequest() : try WireJSON.decode(DrainRequest.self, from: body)
        let reason = wanted.reason ?? "drained by an operator"
        guard (1...1_024).contains(reason.utf8.count), TerminalText.harmless(reason) == reason else {
            throw APIError(
                status: 422, code: "invalid_drain", message: "reason: it is not one line of 1 to 1024 bytes",
                hint: "say why in a sentence, without control characters")
        }
        let seconds = wanted.deadlineSeconds
        guard seconds.map({ (0...Self.longestDrainSeconds).contains($0) }) ?? true else {
            throw APIError(
                status: 422, code: "invalid_drain",
                message: "deadlineSeconds: \(seconds ?? 0) is not in 0 to \(Int(Self.longestDrainSeconds))",
                hint: "leave it out to let what runs finish")
        }
        return Drain(reason: reason, deadline: seconds.map { parts.clock.now.advanced(by: .bounded(seconds: $0)) })
    }

    /// Takes a worker off the list. Its operator vouches that it is dead, so what it held ends or runs again.
    func forget(_ reference: String) async throws -> Response {
        let record = try await record(reference)
        try await run(.forget(record.registration.id), on: record)
        return try .json(info(record))
    }

    private func run(_ command: CoordinatorState.Command, on record: WorkerRecord) async throws {
        switch await parts.core.run(command) {
        case .done: break
        case .notFound: throw APIError.notFound("worker \(record.registration.id)")
        case .failed(let failure): throw failure.error
        }
    }

    /// A worker by id, name, or unique suffix of its id.
    func record(_ reference: String) async throws -> WorkerRecord {
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
        info(record, parts.core.session(of: record.registration.id))
    }

    private func info(_ record: WorkerRecord, _ session: WorkerLink?) -> WorkerInfo {
        let registration = record.registration
        let held = parts.core.attempts(of: registration.id)
        let hindrance = session.flatMap { parts.core.hindrance(of: $0) }
        let quarantine = parts.core.quarantine(of: registration.id)?.quarantine
        return WorkerInfo(
            id: registration.id, name: registration.name,
            state: state(record, session, hindrance, isQuarantined: quarantine != nil),
            labels: registration.labels, capacity: registration.capacity,
            used: held.reduce(.zero) { $0 + $1.resources }, running: held.count { $0.state == .running },
            images: registration.images, softwareVersion: registration.softwareVersion,
            connectedAt: session?.openedAt, lastSeenAt: session == nil ? record.lastSeenAt : parts.clock.now,
            drainReason: record.drain?.reason ?? hindrance, drainDeadline: record.drain?.deadline,
            verification: session?.verification, makesDisks: registration.makesDisks,
            quarantineReason: quarantine?.reason, quarantinedUntil: quarantine?.until)
    }

    private func state(
        _ record: WorkerRecord, _ session: WorkerLink?, _ hindrance: String?, isQuarantined: Bool
    ) -> String {
        if session != nil {
            if record.drain != nil || hindrance != nil { return "draining" }
            return isQuarantined ? "quarantined" : "connected"
        }
        return parts.core.isSilent(record.registration.id) ? "gone" : "unreachable"
    }
}
