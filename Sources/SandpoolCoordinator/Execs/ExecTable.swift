import SandpoolAPI
import SandpoolModel
import Synchronization

/// The execs that workers were asked for and have not ended.
final class ExecTable: Sendable {
    private let execs = Mutex<[ExecID: Exec]>([:])
    private let end = Mutex<APIError?>(nil)
    let inputs = InputRelays<ExecID>()
    /// Most bytes of requests that a session has not said the start or the end of, far below what an outbox holds. One
    /// of the longest fits.
    static let unreadBytes = Frame.payloadLimit

    /// Takes a new one in.
    ///
    /// - Throws: 429 where its job or its worker has as many as it may, or too much waits for its start. One whose
    ///   client left counts until it is gone.
    func add(_ exec: Exec) throws(APIError) {
        let problem: String? = execs.withLock { table in
            guard table.values.count(where: { $0.job == exec.job }) < ExecAssignment.perJob else {
                return "\(ExecAssignment.perJob) commands run beside job \(exec.job)"
            }
            let worker = exec.session.worker
            guard table.values.count(where: { $0.session.worker == worker }) < ExecAssignment.perWorker else {
                return "\(ExecAssignment.perWorker) commands run beside the jobs of worker \(worker)"
            }
            let unread = table.values.filter { $0.session === exec.session && $0.isUnread }
            guard unread.reduce(exec.requestBytes, { $0 + $1.requestBytes }) <= Self.unreadBytes else {
                return "more than \(Self.unreadBytes) bytes of commands wait for their start on worker \(worker)"
            }
            table[exec.id] = exec
            return nil
        }
        guard let problem else {
            // One that came after the rest was told.
            if let error = end.withLock({ $0 }) { exec.fail(error) }
            return
        }
        throw APIError(
            status: 429, code: "too_many_execs", message: "\(problem): no more at once",
            hint: "try again when one has ended")
    }

    /// One that the session was asked for.
    func exec(_ id: ExecID, of session: WorkerLink) -> Exec? {
        execs.withLock { $0[id] }.flatMap { $0.session === session ? $0 : nil }
    }

    func remove(_ exec: Exec) {
        execs.withLock { $0[exec.id] = nil }
        inputs.drop(exec.id)
    }

    /// The session is over, and with it everything that it was asked for.
    func end(of session: WorkerLink) {
        for exec in execs.withLock({ $0.values.filter { $0.session === session } }) {
            exec.fail(.execLost(exec, "its worker was lost or restarted"), isOver: true)
            remove(exec)
        }
    }

    /// Ends every stream, and those to come: the coordinator stops.
    func failAll(_ error: APIError) {
        end.withLock { $0 = error }
        for exec in execs.withLock({ Array($0.values) }) { exec.fail(error) }
    }
}

extension APIError {
    static func execLost(_ exec: Exec, _ reason: String) -> APIError {
        APIError(
            status: 502, code: "exec_lost", message: "the command in job \(exec.job) was lost: \(reason)",
            hint: "the job goes on; run the command again if that does no harm")
    }
}
