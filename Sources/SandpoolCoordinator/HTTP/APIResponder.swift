import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import SandpoolAPI
import SandpoolModel

/// What a handler knows of a request beside the request itself.
struct RequestInfo: Sendable {
    var principal: Principal
    var channel: any Channel
    var query: Query
    var isHead: Bool
}

/// Answers every request: finds its route, checks its token, and turns every error into JSON.
struct APIResponder: HTTPResponder {
    struct Context: RequestContext {
        var coreContext: CoreRequestContextStorage
        let channel: any Channel

        init(source: ApplicationRequestContextSource) {
            coreContext = CoreRequestContextStorage(source: source)
            channel = source.channel
        }
    }

    let parts: CoordinatorParts
    let trustsPeers: Bool

    func respond(to request: Request, context: Context) async throws -> Response {
        do {
            return try await answer(request, context)
        } catch {
            let answer = APIError(any: error)
            if answer.status >= 500 {
                let path = TerminalText.harmless(request.uri.path, limit: 128)
                parts.logger.error("request failed: \(error)", metadata: ["path": "\(path)"])
            }
            return answer.response
        }
    }

    private func answer(_ request: Request, _ context: Context) async throws -> Response {
        let principal = principal(of: request)
        let route: Route
        do {
            route = try Route(method: request.method, path: request.uri.path)
        } catch {
            // Without a token not even which paths exist is told.
            guard principal != nil else { throw APIError.unauthorized }
            throw error
        }
        if route == .health { return try .json(["status": "ok"]) }
        guard let principal else { throw APIError.unauthorized }
        guard principal.may(route.permission) else { throw APIError.forbidden(principal.role, route.permission) }
        let info = RequestInfo(
            principal: principal, channel: context.channel, query: Query(request.uri.query),
            isHead: request.method == .head)
        return try await dispatch(route, request, info)
    }

    private func principal(of request: Request) -> Principal? {
        if trustsPeers { return .local }
        return parts.tokens.principal(authorization: request.headers[.authorization])
    }

    private func dispatch(_ route: Route, _ request: Request, _ info: RequestInfo) async throws -> Response {
        let jobs = JobHandlers(parts: parts)
        let workers = WorkerHandlers(parts: parts)
        let tokens = TokenHandlers(tokens: parts.tokens, store: parts.store, workers: workers)
        let blobs = BlobHandlers(blobs: parts.blobs)
        switch route {
        case .health: return try .json(["status": "ok"])
        case .submitJobs: return try await jobs.submit(request)
        case .listJobs: return try await jobs.list(info)
        case .showJob(let job): return try await jobs.show(job, info)
        case .explainJob(let job): return try await jobs.explain(job)
        case .cancelJob(let job): return try await jobs.cancel(job)
        case .releaseJob(let job): return try await jobs.release(job)
        case .signalJob(let job): return try await jobs.signal(job, request)
        case .downloadJob(let job): return try await jobs.downloads(job, info, blobs)
        case .verifyJob(let job): return try await VerificationHandler(parts: parts).verify(job, info)
        case .readOutput(let job, let stream):
            return try await OutputHandlers(parts: parts).read(job, stream, info)
        case .run:
            return try stream(request, info) { writer in
                try await RunHandler(parts: parts, channel: info.channel).serve(request.body, &writer)
            }
        case .workerSession:
            return try stream(request, info) { writer in
                try await WorkerSessionHandler(parts: parts, channel: info.channel, principal: info.principal)
                    .serve(request.body, &writer)
            }
        case .exec(let job): return try await exec(job, request, info)
        case .storeBlob(let isWorker): return try await blobs.store(request, isWorker: isWorker)
        case .readBlob(let digest, _): return try await blobs.read(digest, info)
        case .listWorkers: return try await workers.list()
        case .showWorker(let worker): return try await workers.show(worker)
        case .drainWorker(let worker): return try await workers.drain(worker, request)
        case .resumeWorker(let worker): return try await workers.resume(worker)
        case .forgetWorker(let worker): return try await workers.forget(worker)
        case .prune: return try await PruneHandler(parts: parts).prune(request)
        case .listTokens: return try await tokens.list()
        case .createToken: return try await tokens.create(request)
        case .revokeToken(let token): return try await tokens.revoke(token)
        }
    }

    /// A further command in a job's sandbox. What is wrong with it is told by the status, so its first frame is read
    /// before the response begins.
    private func exec(_ job: String, _ request: Request, _ info: RequestInfo) async throws -> Response {
        try checkFrames(request)
        let handler = ExecHandler(parts: parts, channel: info.channel)
        let frames = RequestFrames(request.body)
        // Waiting for it is bound to the token too: what is asked for after the revocation does not start.
        let exec = try await parts.streams.track(info.channel, of: info.principal, knownTo: parts.tokens) {
            try await handler.open(job, frames)
        }
        return try stream(request, info) { try await handler.serve(exec, frames, &$0) }
    }

    /// A stream of frames. The response begins at once, while the request goes on.
    private func stream(
        _ request: Request, _ info: RequestInfo,
        _ serve: @escaping @Sendable (inout any ResponseBodyWriter) async throws -> Void
    ) throws -> Response {
        try checkFrames(request)
        let body = ResponseBody { writer in
            try await parts.streams.track(info.channel, of: info.principal, knownTo: parts.tokens) {
                try await serve(&writer)
            }
        }
        // The request may be cut short at the end, after which its connection is of no use.
        return Response(
            status: .ok, headers: [.contentType: WorkerSession.contentType, .connection: "close"], body: body)
    }

    private func checkFrames(_ request: Request) throws(APIError) {
        let type = request.headers[.contentType]
        guard type == WorkerSession.contentType else {
            throw APIError(
                status: 415, code: "unsupported_media_type",
                message: "the body's type is \(TerminalText.harmless(type ?? "not given", limit: 64))",
                hint: "send \(WorkerSession.contentType)")
        }
    }
}
