import HTTPTypes
import SandpoolAPI
import SandpoolModel

/// Everything that the API answers, by method and path: the table of `Routes` as a value.
enum Route: Hashable, Sendable {
    case health
    case submitJobs, listJobs
    case showJob(String), explainJob(String), cancelJob(String), releaseJob(String), signalJob(String)
    case downloadJob(String), verifyJob(String)
    case readOutput(String, OutputStreamCode)
    case run
    case exec(String)
    case storeBlob(isWorker: Bool), readBlob(String, isWorker: Bool)
    case listWorkers, showWorker(String), drainWorker(String), resumeWorker(String), forgetWorker(String)
    case prune
    case listTokens, createToken, revokeToken(String)
    case workerSession

    var permission: Permission {
        switch self {
        case .health: .none
        case .listJobs, .showJob, .explainJob, .downloadJob, .verifyJob, .readOutput, .listWorkers, .showWorker: .read
        case .submitJobs, .cancelJob, .releaseJob, .signalJob, .run, .exec: .submit
        case .storeBlob(let isWorker), .readBlob(_, let isWorker): isWorker ? .worker : .submit
        case .drainWorker, .resumeWorker, .forgetWorker, .prune, .listTokens, .createToken, .revokeToken: .admin
        case .workerSession: .worker
        }
    }

    /// The route of a request.
    ///
    /// - Parameter path: without its query; percent-escapes are not decoded, because no reference needs one.
    /// - Throws: 404 where nothing is at the path, 405 where something else is.
    init(method: HTTPRequest.Method, path: String) throws(APIError) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(String.init)
        var candidates: [HTTPRequest.Method: Route] = [:]
        switch parts.first {
        case "health" where parts.count == 1: candidates = [.get: .health]
        case "v1": candidates = Self.candidates(Array(parts.dropFirst()))
        default: break
        }
        guard !candidates.isEmpty else { throw .notFound("\(TerminalText.harmless(path, limit: 128))") }
        let wanted = method == .head ? .get : method
        guard let route = candidates[wanted] else {
            let allowed = candidates.keys.map(\.rawValue).sorted().joined(separator: ", ")
            throw APIError(
                status: 405, code: "method_not_allowed",
                message: "\(TerminalText.harmless(path, limit: 128)) does not take \(method.rawValue)",
                hint: "use \(allowed)")
        }
        self = route
    }

    /// What is at a path below `/v1`, by method.
    private static func candidates(_ parts: [String]) -> [HTTPRequest.Method: Route] {
        guard !parts.contains("") else { return [:] }
        switch (parts.count, parts.first) {
        case (1, "jobs"): return [.get: .listJobs, .post: .submitJobs]
        case (1, "run"): return [.post: .run]
        case (1, "blobs"): return [.post: .storeBlob(isWorker: false)]
        case (1, "workers"): return [.get: .listWorkers]
        case (1, "prune"): return [.post: .prune]
        case (1, "tokens"): return [.get: .listTokens, .post: .createToken]
        case (2, "jobs"): return [.get: .showJob(parts[1])]
        case (2, "blobs"): return [.get: .readBlob(parts[1], isWorker: false)]
        case (2, "workers"): return [.get: .showWorker(parts[1])]
        case (2, "tokens"): return [.delete: .revokeToken(parts[1])]
        case (2, "worker") where parts[1] == "session": return [.post: .workerSession]
        case (2, "worker") where parts[1] == "blobs": return [.post: .storeBlob(isWorker: true)]
        case (3, "worker") where parts[1] == "blobs": return [.get: .readBlob(parts[2], isWorker: true)]
        case (3, "jobs"): return jobCandidates(parts[1], parts[2])
        case (4, "jobs") where parts[2] == "output":
            guard let stream = OutputStream(rawValue: parts[3]) else { return [:] }
            return [.get: .readOutput(parts[1], stream == .stdout ? .stdout : .stderr)]
        case (3, "workers"): return workerCandidates(parts[1], parts[2])
        default: return [:]
        }
    }

    private static func jobCandidates(_ job: String, _ verb: String) -> [HTTPRequest.Method: Route] {
        switch verb {
        case "why": [.get: .explainJob(job)]
        case "downloads": [.get: .downloadJob(job)]
        case "verification": [.get: .verifyJob(job)]
        case "cancel": [.post: .cancelJob(job)]
        case "release": [.post: .releaseJob(job)]
        case "signal": [.post: .signalJob(job)]
        case "exec": [.post: .exec(job)]
        default: [:]
        }
    }

    private static func workerCandidates(_ worker: String, _ verb: String) -> [HTTPRequest.Method: Route] {
        switch verb {
        case "drain": [.post: .drainWorker(worker)]
        case "resume": [.post: .resumeWorker(worker)]
        case "forget": [.post: .forgetWorker(worker)]
        default: [:]
        }
    }
}
