import NIOCore
import SandpoolAPI
import SandpoolModel
import Synchronization

/// Who follows which job.
final class FollowerHub: Sendable {
    private let followers = Mutex<[JobID: [Follower]]>([:])
    private let end = Mutex<APIError?>(nil)

    func add(_ follower: Follower, to job: JobID) {
        followers.withLock { $0[job, default: []].append(follower) }
        // One that came after the rest was told.
        if let error = end.withLock({ $0 }) { follower.publish(.failed(error)) }
    }

    /// Takes a follower out; whether no follower that holds the job is left.
    @discardableResult
    func remove(_ follower: Follower, from job: JobID) -> Bool {
        followers.withLock { table in
            let rest = table[job, default: []].filter { $0 !== follower }
            table[job] = rest.isEmpty ? nil : rest
            return !rest.contains { $0.holdsJob }
        }
    }

    /// The jobs that anybody follows.
    var jobs: [JobID] { followers.withLock { Array($0.keys) } }

    func isHeld(_ job: JobID) -> Bool { of(job).contains { $0.holdsJob } }

    func of(_ job: JobID) -> [Follower] { followers.withLock { $0[job] ?? [] } }

    func publish(_ item: Follower.Item, to job: JobID) {
        for follower in of(job) { follower.publish(item) }
    }

    func begin(_ attempt: AttemptID, of job: JobID) {
        for follower in of(job) { follower.begin(attempt) }
    }

    func publish(
        _ code: OutputStreamCode, offset: Int64, _ bytes: ByteBuffer, at moment: Timestamp, of job: JobID
    ) {
        for follower in of(job) { follower.publish(code, offset: offset, bytes, at: moment) }
    }

    /// Ends every stream, and those to come: the coordinator stops.
    func failAll(_ error: APIError) {
        end.withLock { $0 = error }
        let all = followers.withLock { $0.values.flatMap { $0 } }
        for follower in all { follower.publish(.failed(error)) }
    }
}
