import HTTPTypes
import Hummingbird
import NIOCore
import SandpoolAPI
import SandpoolModel
import SandpoolStore

/// `/v1/jobs`.
struct JobHandlers: Sendable {
    let parts: CoordinatorParts

    /// Most jobs that a listing answers.
    static let listLimit: Int64 = 10_000
    static let defaultListLimit: Int64 = 1_000

    func submit(_ request: Request) async throws -> Response {
        switch try await request.json(SpecOrSpecs.self) {
        case .one(let spec):
            let jobs = try await parts.jobs.submit([spec])
            guard let job = jobs.first else { throw APIError.notFound("the job") }
            return try .json(job, status: .created)
        case .many(let specs):
            return try .json(try await parts.jobs.submit(specs), status: .created)
        }
    }

    func list(_ info: RequestInfo) async throws -> Response {
        let query = info.query
        try query.check(known: ["state", "tag", "limit", "all"])
        var states: Set<JobState> = []
        for name in query.values("state").flatMap({ $0.split(separator: ",") }) {
            guard let state = JobState(rawValue: String(name)) else {
                throw Query.problem(
                    "state", "'\(TerminalText.harmless(String(name), limit: 32))' is no state",
                    hint: "use \(JobState.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            states.insert(state)
        }
        if states.isEmpty, !(try query.flag("all")) { states = Set(JobState.allCases.filter { !$0.isTerminal }) }
        var tags: [String: String] = [:]
        for tag in query.values("tag") {
            let pair = tag.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2 else { throw Query.problem("tag", "is not KEY=VALUE") }
            tags[String(pair[0])] = String(pair[1])
        }
        let limit = try query.number("limit", in: 1...Self.listLimit) ?? Self.defaultListLimit
        return try .json(try await parts.jobs.list(JobQuery(states: states, tags: tags, limit: Int(limit))))
    }

    func show(_ reference: String, _ info: RequestInfo) async throws -> Response {
        try info.query.check(known: ["wait"])
        let id = try await parts.jobs.resolve(reference)
        if try info.query.flag("wait") { return try await wait(for: id, info) }
        return try .json(try await parts.jobs.job(id))
    }

    /// Answers when the job has ended.
    private func wait(for id: JobID, _ info: RequestInfo) async throws -> Response {
        let hold = try parts.holds.hold(id)
        defer { withExtendedLifetime(hold) {} }
        let follower = Follower(stdout: .max, stderr: .max, isAttached: true)
        parts.hub.add(follower, to: id)
        defer { parts.hub.remove(follower, from: id) }
        // Whoever waits must not keep the follower for ever after its connection went.
        info.channel.closeFuture.whenComplete { _ in follower.close() }
        let job = try await parts.jobs.job(id)
        if job.state.isTerminal { return try .json(job) }
        return try await parts.streams.track(info.channel, of: info.principal, knownTo: parts.tokens) {
            while let items = await follower.next() {
                for item in items {
                    if case .failed(let error) = item { throw error }
                }
            }
            return try .json(try await parts.jobs.job(id))
        }
    }

    func explain(_ reference: String) async throws -> Response {
        let job = try await parts.jobs.job(try await parts.jobs.resolve(reference))
        let isHeld = job.state == .queued ? try await parts.held.isHeld(job.id) : false
        return try .json(Explainer(parts: parts).explain(job, isHeld: isHeld))
    }

    /// Has a held job run after all. One that is not held stays as it is.
    func release(_ reference: String) async throws -> Response {
        let id = try await parts.jobs.resolve(reference)
        if try await parts.held.release(id) { parts.core.feed(.submitted(deadlines: [])) }
        return try .json(try await parts.jobs.job(id))
    }

    func cancel(_ reference: String) async throws -> Response {
        let id = try await parts.jobs.resolve(reference)
        try await parts.jobs.cancel(id)
        return try .json(try await parts.jobs.job(id))
    }

    func signal(_ reference: String, _ request: Request) async throws -> Response {
        let id = try await parts.jobs.resolve(reference)
        try await parts.jobs.signal(id, try await request.json(SignalRequest.self).signal)
        return Response(status: .accepted)
    }

    func downloads(_ reference: String, _ info: RequestInfo, _ blobs: BlobHandlers) async throws -> Response {
        let id = try await parts.jobs.resolve(reference)
        guard let digest = try await parts.jobs.downloads(of: id) else {
            throw APIError(
                status: 404, code: "not_found", message: "job \(id) has no downloads",
                hint: "ask for them with --download when the job is submitted")
        }
        return try await blobs.read(digest, info)
    }
}

/// The body of a submission.
enum SpecOrSpecs: Decodable, Sendable {
    case one(JobSpec)
    case many([JobSpec])

    init(from decoder: any Decoder) throws {
        if var list = try? decoder.unkeyedContainer() {
            var specs: [JobSpec] = []
            while !list.isAtEnd {
                guard specs.count < JobService.batchLimit else {
                    throw SpecProblem(
                        .overLimit, at: "body", "more than \(JobService.batchLimit) specs", hint: "send them in parts")
                }
                specs.append(try list.decode(JobSpec.self))
            }
            self = .many(specs)
        } else {
            self = .one(try JobSpec(from: decoder))
        }
    }
}
