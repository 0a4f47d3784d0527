import GRDB
import Synchronization

/// Group commit: one transaction, and so one sync, for all writes that arrived during the previous one.
///
/// An idle queue commits a write at once; there is no window to wait for. Callers suspend until their COMMIT,
/// which is the back-pressure, and a queue at its limit refuses.
final class CommitQueue: Sendable {
    private struct State {
        var waiting: [QueuedWrite] = []
        var isDraining = false
        var isClosed = false
        var whenIdle: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())
    private let writer: any DatabaseWriter
    private let limit: Int
    /// Writes in one transaction: enough to make the sync's cost small, and a bound on how long a write
    /// waits behind others.
    private let batchLimit: Int

    init(writer: any DatabaseWriter, limit: Int = StoreLimits.queuedWrites, batchLimit: Int = 256) {
        self.writer = writer
        self.limit = limit
        self.batchLimit = batchLimit
    }

    /// Runs `body` inside a transaction and returns its result after COMMIT.
    ///
    /// - Parameter body: may run twice, so it must change nothing but the database.
    func perform<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        do {
            return try await withCheckedThrowingContinuation { continuation in
                enqueue(
                    QueuedWrite(
                        run: { database in
                            let value = try body(database)
                            return { continuation.resume(returning: value) }
                        },
                        fail: { continuation.resume(throwing: $0) }))
            }
        } catch {
            throw StoreError.from(error)
        }
    }

    /// Refuses new writes and returns when the waiting ones are committed.
    func close() async {
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state in
                state.isClosed = true
                if state.isDraining { state.whenIdle.append(continuation) }
                return !state.isDraining
            }
            if isIdle { continuation.resume() }
        }
    }

    var isClosed: Bool { state.withLock(\.isClosed) }
    /// Writes that are not in a transaction yet.
    var waitingCount: Int { state.withLock(\.waiting.count) }

    private func enqueue(_ write: QueuedWrite) {
        enum Admission { case joined, startsDraining, refused(StoreError) }
        let admission: Admission = state.withLock { state in
            if state.isClosed { return .refused(.closed) }
            if state.waiting.count >= limit { return .refused(.overloaded(limit: limit)) }
            state.waiting.append(write)
            if state.isDraining { return .joined }
            state.isDraining = true
            return .startsDraining
        }
        switch admission {
        case .joined: break
        case .startsDraining: writer.asyncWriteWithoutTransaction { self.drain($0) }
        case .refused(let error): write.fail(error)
        }
    }

    /// Commits batch after batch until nothing waits. Runs on the writer's own queue.
    private func drain(_ database: Database) {
        while let batch = nextBatch() { CommitBatch(writes: batch).commit(database) }
    }

    private func nextBatch() -> [QueuedWrite]? {
        let (batch, idle): ([QueuedWrite]?, [CheckedContinuation<Void, Never>]) = state.withLock { state in
            guard state.waiting.isEmpty else {
                let batch = Array(state.waiting.prefix(batchLimit))
                state.waiting.removeFirst(batch.count)
                return (batch, [])
            }
            state.isDraining = false
            defer { state.whenIdle = [] }
            return (nil, state.whenIdle)
        }
        for continuation in idle { continuation.resume() }
        return batch
    }
}
