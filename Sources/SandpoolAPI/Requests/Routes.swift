/// The paths of the HTTP API, in one place for server, client and worker.
///
/// REF is an id, a name, a unique suffix of an id, or `@last`.
///
/// | method and path | role | what |
/// |---|---|---|
/// | `GET /health` | none | `{"status": "ok"}` |
/// | `POST /v1/jobs` | submit | a spec, or an array of specs → 201 with a job, or an array |
/// | `GET /v1/jobs?state=&tag=K=V&limit=&all=` | read | an array of jobs, newest first |
/// | `GET /v1/jobs/REF` | read | a job; `?wait=true` answers when it is finished |
/// | `GET /v1/jobs/REF/why` | read | an `Explanation` |
/// | `POST /v1/jobs/REF/cancel` | submit | the job |
/// | `POST /v1/jobs/REF/release` | submit | the job, which runs after all where it was held after a restore |
/// | `POST /v1/jobs/REF/signal` | submit | 202 |
/// | `GET /v1/jobs/REF/output/stdout` (`stderr`) `?offset=&limit=&since=&follow=` | read | raw bytes |
/// | the same with `timestamps=true` | read | each line behind the moment when it arrived |
/// | `GET /v1/jobs/REF/verification?attempt=` | read | an `OutputVerification` |
/// | `GET /v1/jobs/REF/downloads` | read | a tar archive |
/// | `POST /v1/jobs/REF/exec` | submit | a further command in its sandbox, see `ExecControl` |
/// | `POST /v1/run` | submit | the combined stream, see `RunRequest` |
/// | `POST /v1/blobs` | submit | raw bytes → `BlobInfo`; `HEAD` and `GET /v1/blobs/DIGEST` |
/// | `GET /v1/workers`, `GET /v1/workers/REF` | read | `WorkerInfo` |
/// | `POST /v1/workers/REF/drain` | admin | `DrainRequest`, or nothing → `WorkerInfo` |
/// | `POST /v1/workers/REF/resume` (`forget`) | admin | `WorkerInfo` |
/// | `POST /v1/prune` | admin | `PruneRequest` → `PruneAnswer` |
/// | `GET`, `POST /v1/tokens`; `DELETE /v1/tokens/ID` | admin | tokens |
/// | `POST /v1/worker/session` | worker | the worker session, see `WorkerMessage` |
/// | `GET /v1/worker/blobs/DIGEST`, `POST /v1/worker/blobs` | worker | mounts in, downloads out |
public enum Routes {
    /// Most bytes of a request's JSON.
    public static let bodyLimit = 4 << 20

    public static let health = "/health"
    public static let jobs = "/v1/jobs"
    public static let run = "/v1/run"
    public static let blobs = "/v1/blobs"
    public static let workers = "/v1/workers"
    public static let prune = "/v1/prune"
    public static let tokens = "/v1/tokens"
    public static let workerSession = "/v1/worker/session"
    public static let workerBlobs = "/v1/worker/blobs"

    /// The header that says from which byte of its stream an answer with output begins.
    public static let outputOffsetHeader = "sandpool-offset"

    public static func job(_ reference: String) -> String { "\(jobs)/\(reference)" }

    public static func exec(_ reference: String) -> String { "\(job(reference))/exec" }
}
