import Logging
import NIOCore
import SandpoolAPI
import SandpoolModel
import SandpoolStore

/// The sending side of one worker's session. It never waits: see `Outbox`.
final class WorkerLink: Sendable {
    let worker: WorkerID
    /// The token that opened the session; `nil` for a peer of the Unix domain socket.
    let token: TokenID?
    let openedAt: Timestamp
    /// What the worker says of its own sandboxes.
    let verification: VerificationSummary?
    private let outbox: Outbox
    private let channel: any Channel
    private let logger: Logger

    init(
        worker: WorkerID, token: TokenID?, openedAt: Timestamp, verification: VerificationSummary?, outbox: Outbox,
        channel: any Channel, logger: Logger
    ) {
        self.worker = worker
        self.token = token
        self.openedAt = openedAt
        self.verification = verification
        self.outbox = outbox
        self.channel = channel
        self.logger = logger
    }

    /// Why it must not get jobs, whatever operators say.
    var distrust: String? { verification.flatMap { $0.isTrusted ? nil : $0.text } }

    func send(_ message: CoordinatorMessage) {
        do { try send(Frame.message(message)) } catch { fail(error) }
    }

    func send(_ frame: Frame) {
        do { try outbox.send(frame) } catch { fail(error) }
    }

    /// Sends assignments, as many in a frame as fit into one.
    func send(_ assignments: [Assignment]) {
        do {
            try send(Frame.message(CoordinatorMessage.assign(assignments)))
        } catch FrameError.payloadTooLong where assignments.count > 1 {
            let half = assignments.count / 2
            send(Array(assignments[..<half]))
            send(Array(assignments[half...]))
        } catch {
            fail(error)
        }
    }

    /// Ends the session after what is queued has been sent.
    func close() { outbox.close() }

    /// Ends the session at once, also where the worker does not read any more.
    func abort(_ reason: String) {
        logger.warning("session ended: \(reason)", metadata: ["worker": "\(worker)"])
        outbox.close()
        channel.close(promise: nil)
    }

    private func fail(_ error: any Error) { abort("\(error)") }
}
