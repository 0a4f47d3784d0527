import SandpoolModel

/// The combined stream of `sandpool run`: `POST /v1/run`, one round trip for submitting, following, feeding
/// standard input and forwarding signals. The request body's first frame is `RunRequest.submit`; `input`
/// frames and further messages follow while the response body carries `output` frames and `RunEvent`s.
/// The stream ends after `finished`. The client's end of its request body means no more input.
public enum RunRequest: Codable, Hashable, Sendable {
    case submit(JobSpec)
    /// Follow a job that exists, from these offsets on. They are those of `attempt`'s output, where the client says
    /// so: of another one, which has taken its place, everything is wanted.
    case follow(job: String, stdout: Int64, stderr: Int64, attempt: AttemptID? = nil)
    case signal(Int)
    case cancel
    /// The client leaves and the job goes on, whatever its `onDisconnect` says.
    case detach
}

public enum RunEvent: Codable, Hashable, Sendable {
    /// The job is stored.
    case created(id: JobID, name: String?)
    /// The job's state changed. `note` explains a wait, such as `no worker is enrolled`. Output that follows is that of
    /// `attempt`; another one than before begins at byte 0.
    case state(JobState, note: String?, attempt: AttemptID? = nil)
    /// How much of standard input was taken, so that the client's window moves.
    case inputConsumed(Int64)
    /// All output has been sent before this.
    case finished(Job)
    /// The stream failed; nothing follows.
    case failed(APIError)
}
