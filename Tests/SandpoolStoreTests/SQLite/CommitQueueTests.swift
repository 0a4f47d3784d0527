import Foundation
import GRDB
import SandpoolModel
import Synchronization
import Testing

@testable import SandpoolStore

@Suite struct CommitQueueTests {
    private struct Refusal: Error, Equatable {}

    /// Holds the writer inside a transaction, so that what comes after it waits.
    private final class Gate: Sendable {
        private let entered = DispatchSemaphore(value: 0)
        private let open = DispatchSemaphore(value: 0)

        /// Starts a write that blocks the writer, and returns once it does.
        func close(_ queue: CommitQueue) async -> Task<Void, any Error> {
            let task = Task {
                try await queue.perform { _ in
                    self.entered.signal()
                    self.open.wait()
                }
            }
            await withCheckedContinuation { continuation in
                DispatchQueue.global().async {
                    self.entered.wait()
                    continuation.resume()
                }
            }
            return task
        }

        func openUp() { open.signal() }
    }

    private final class CommitCounter: TransactionObserver, Sendable {
        let commits = Mutex(0)
        func observes(eventsOfKind eventKind: DatabaseEventKind) -> Bool { true }
        func databaseDidChange(with event: DatabaseEvent) {}
        func databaseDidCommit(_ database: Database) { commits.withLock { $0 += 1 } }
        func databaseDidRollback(_ database: Database) {}
    }

    private func withQueue(
        limit: Int = 1_000, batchLimit: Int = 256, _ body: (CommitQueue, DatabasePool) async throws -> Void
    ) async throws {
        try await withScratchDirectory { directory in
            let pool = try DatabasePool(path: directory + "/queue.sqlite")
            try await pool.write { try $0.execute(sql: "CREATE TABLE numbers (n INTEGER PRIMARY KEY, pad BLOB)") }
            try await body(CommitQueue(writer: pool, limit: limit, batchLimit: batchLimit), pool)
            try pool.close()
        }
    }

    /// Waits until so many writes are queued; the queue says so itself, no clock is asked.
    private func enqueue(
        _ count: Int, on queue: CommitQueue, _ body: @escaping @Sendable (Database, Int) throws -> Void
    )
        async -> [Task<Void, any Error>]
    {
        var tasks: [Task<Void, any Error>] = []
        for number in 0..<count {
            let waiting = queue.waitingCount
            tasks.append(Task { try await queue.perform { try body($0, number) } })
            while queue.waitingCount == waiting { await Task.yield() }
        }
        return tasks
    }

    @Test func whatArrivesDuringACommitSharesTheNextOne() async throws {
        try await withQueue(batchLimit: 64) { queue, pool in
            let counter = CommitCounter()
            pool.add(transactionObserver: counter, extent: .databaseLifetime)
            let gate = Gate()
            let blocked = await gate.close(queue)
            let writes = await enqueue(100, on: queue) { database, number in
                try database.execute(sql: "INSERT INTO numbers (n) VALUES (?)", arguments: [number])
            }
            gate.openUp()
            try await blocked.value
            for write in writes { try await write.value }
            // The blocker, 64 and 36.
            #expect(counter.commits.withLock { $0 } == 3)
            let stored = try await pool.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM numbers") }
            #expect(stored == 100)
        }
    }

    @Test func aWriteThatFailsLeavesItsNeighboursWhole() async throws {
        try await withQueue { queue, pool in
            let gate = Gate()
            let blocked = await gate.close(queue)
            let writes = await enqueue(9, on: queue) { database, number in
                try database.execute(sql: "INSERT INTO numbers (n) VALUES (?)", arguments: [number])
                if number % 3 == 1 { throw Refusal() }
            }
            gate.openUp()
            try await blocked.value
            for (number, write) in writes.enumerated() {
                let result = await write.result
                if number % 3 == 1 {
                    #expect(throws: Refusal()) { try result.get() }
                } else {
                    try result.get()
                }
            }
            let stored = try await pool.read { try Int.fetchAll($0, sql: "SELECT n FROM numbers ORDER BY n") }
            #expect(stored == [0, 2, 3, 5, 6, 8])
        }
    }

    @Test func aFullDiskIsATypedErrorAndSmallWritesStillLand() async throws {
        try await withQueue { queue, pool in
            try await pool.writeWithoutTransaction { database in
                let pages = try Int.fetchOne(database, sql: "PRAGMA page_count") ?? 0
                try database.execute(sql: "PRAGMA max_page_count = \(pages + 2)")
            }
            let gate = Gate()
            let blocked = await gate.close(queue)
            let writes = await enqueue(3, on: queue) { database, number in
                let pad = Data(count: number == 1 ? 1 << 20 : 10)
                try database.execute(sql: "INSERT INTO numbers (n, pad) VALUES (?, ?)", arguments: [number, pad])
            }
            gate.openUp()
            try await blocked.value
            try await writes[0].value
            try await writes[2].value
            let error = await #expect(throws: StoreError.self) { try await writes[1].value }
            guard case .diskFull = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            let stored = try await pool.read { try Int.fetchAll($0, sql: "SELECT n FROM numbers ORDER BY n") }
            #expect(stored == [0, 2])
        }
    }

    @Test func aQueueAtItsLimitRefuses() async throws {
        try await withQueue(limit: 4) { queue, pool in
            let gate = Gate()
            let blocked = await gate.close(queue)
            let writes = await enqueue(4, on: queue) { database, number in
                try database.execute(sql: "INSERT INTO numbers (n) VALUES (?)", arguments: [number])
            }
            await #expect(throws: StoreError.overloaded(limit: 4)) { try await queue.perform { _ in } }
            gate.openUp()
            try await blocked.value
            for write in writes { try await write.value }
            try await queue.perform { _ in }
        }
    }

    @Test func closingCommitsWhatWaits() async throws {
        try await withQueue { queue, pool in
            let gate = Gate()
            let blocked = await gate.close(queue)
            let writes = await enqueue(5, on: queue) { database, number in
                try database.execute(sql: "INSERT INTO numbers (n) VALUES (?)", arguments: [number])
            }
            async let closed: Void = queue.close()
            while !queue.isClosed { await Task.yield() }
            gate.openUp()
            await closed
            #expect(try await pool.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM numbers") } == 5)
            await #expect(throws: StoreError.closed) { try await queue.perform { _ in } }
            try await blocked.value
            for write in writes { try await write.value }
        }
    }

    @Test func aReaderIsNotBlockedByTheWriter() async throws {
        try await withQueue { queue, pool in
            let gate = Gate()
            let blocked = await gate.close(queue)
            #expect(try await pool.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM numbers") } == 0)
            gate.openUp()
            try await blocked.value
        }
    }
}
