import Logging
import NIOCore
import SandpoolAPI
import SandpoolModel
import SandpoolStore
import Synchronization

/// One worker's session as the rest of the coordinator sees it. Sending never waits: see `Outbox`. Under a lock that
/// others wait for, only `queue` is called: the rest encodes, or writes a log.
final class WorkerLink: Sendable {
    let id: SessionID
    let worker: WorkerID
    /// The token that opened the session; `nil` for a peer of the Unix domain socket.
    let token: TokenID?
    let openedAt: Timestamp
    /// What the worker says of its own sandboxes.
    let verification: VerificationSummary?
    /// Raised for a turn of the session's conversation.
    let turns = Signal()
    private let isPaused = Mutex(true)
    private let resumed = Signal()
    private let outbox: Outbox
    private let channel: any Channel
    private let logger: Logger

    init(
        id: SessionID, worker: WorkerID, token: TokenID?, openedAt: Timestamp, verification: VerificationSummary?,
        outbox: Outbox,
        channel: any Channel, logger: Logger
    ) {
        self.id = id
        self.worker = worker
        self.token = token
        self.openedAt = openedAt
        self.verification = verification
        self.outbox = outbox
        self.channel = channel
        self.logger = logger
    }

    // MARK: Reading

    func pause() { isPaused.withLock { $0 = true } }

    func resume() {
        isPaused.withLock { $0 = false }
        resumed.raise()
    }

    /// Waits until frames may be read, which at first they may not; `false` once the session has ended.
    func waitUntilReadable() async -> Bool {
        while isPaused.withLock({ $0 }) {
            guard await resumed.wait() else { return false }
        }
        return !resumed.isClosed
    }

    // MARK: Sending

    /// Puts a message behind what was sent before. It goes with the next `flush`.
    func queue(_ message: CoordinatorMessage) { outbox.queue(.message(message)) }

    func queue(_ frame: Frame) { outbox.queue(.frame(frame)) }

    /// Sends what was queued.
    func flush() {
        do { try outbox.flush() } catch { abort("\(error)") }
    }

    func send(_ message: CoordinatorMessage) {
        queue(message)
        flush()
    }

    func send(_ frame: Frame) {
        queue(frame)
        flush()
    }

    // MARK: The end

    /// Ends the session after what is queued has been sent.
    func close() {
        resumed.close()
        outbox.close()
    }

    /// Tells the worker why its session ends.
    private func refuse(_ error: APIError) {
        logger.warning("session refused: \(error.message)", metadata: ["worker": "\(worker)"])
        send(.failed(error))
        close()
    }

    /// Ends the session at once, also where the worker does not read any more.
    func abort(_ reason: String) {
        logger.warning("session ended: \(reason)", metadata: ["worker": "\(worker)"])
        close()
        channel.close(promise: nil)
    }

    func end(_ reason: CoordinatorState.SessionEnd) {
        switch reason {
        case .close: close()
        case .abort(let reason): abort(reason)
        case .refuse(let error): refuse(error)
        }
    }
}
