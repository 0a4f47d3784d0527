import Foundation
import SandpoolModel
import Testing

@testable import SandpoolStore

#if canImport(Glibc)
    import Glibc
#endif

@Suite struct CrashTests {
    /// Eight writers submit pairs of jobs; the process kills itself in the midst of it.
    @Test(arguments: [50, 200, 400])
    func whatWasAcknowledgedSurvivesAKill(acknowledged: Int) async throws {
        try await withScratchDirectory { directory in
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [directory = directory as String, acknowledged = acknowledged as Int] in
                try await CrashingWriter(directory: directory).run(until: acknowledged)
            }
            let text = try String(contentsOfFile: CrashingWriter.journal(directory), encoding: .utf8)
            let pairs = text.split(separator: "\n").map { $0.split(separator: " ").compactMap { JobID(String($0)) } }
            #expect(pairs.count >= acknowledged)

            let store = try await SQLiteJobStore.open(path: CrashingWriter.database(directory), now: .origin)
            let integrity = try await store.read { try String.fetchAll($0, sql: "PRAGMA integrity_check") }
            #expect(integrity == ["ok"])
            let stored = Set(try await store.jobs(JobQuery(limit: StoreLimits.page)).map(\.id))
            for pair in pairs { #expect(pair.count == 2 && stored.isSuperset(of: pair)) }
            // What is there beyond that was committed and not yet said so: at most one pair of each writer, whole.
            let surplus = stored.subtracting(pairs.joined())
            #expect(surplus.count.isMultiple(of: 2) && surplus.count <= 2 * CrashingWriter.writers)
            try await store.close()
        }
    }

    /// Nothing but the lock on the data directory keeps a second coordinator out; the store stays right without it.
    @Test func twoProcessesNeverLeaseOneJobTwice() async throws {
        try await withScratchDirectory { directory in
            let path = CrashingWriter.database(directory)
            let store = try await SQLiteJobStore.open(path: path, now: .origin)
            var ids: [JobID] = []
            for _ in 0..<200 { ids += try await store.add(.sample()) }
            async let other = #expect(processExitsWith: .success) { [path = path as String] in
                let store = try await SQLiteJobStore.open(path: path, now: .origin)
                _ = try await leaseEverything(of: store)
                try await store.close()
            }
            let mine = try await leaseEverything(of: store)
            _ = await other
            let jobs = try await store.jobs(JobQuery(limit: StoreLimits.page))
            #expect(jobs.count == 200)
            #expect(jobs.allSatisfy { $0.state == .starting && $0.attempts.count == 1 })
            #expect(jobs.count { mine.contains($0.id) } == mine.count)
            try await store.close()
        }
    }
}

/// Leases what is claimable, one job at a time, until nothing is.
private func leaseEverything(of store: SQLiteJobStore) async throws -> Set<JobID> {
    let worker = try await store.enrol()
    var mine: Set<JobID> = []
    while let next = try await store.claimable(limit: 1, after: nil).first {
        let request = LeaseRequest(job: next.id, attempt: .make(at: .origin), worker: worker)
        if case .leased? = try await store.lease([request], now: .at(1)).first { mine.insert(next.id) }
    }
    return mine
}

/// Runs in a process of its own, which does not end well.
private struct CrashingWriter {
    static let writers = 8
    let directory: String

    static func database(_ directory: String) -> String { directory + "/store.sqlite" }
    static func journal(_ directory: String) -> String { directory + "/acknowledged" }

    /// Writes a line for each acknowledged pair, in one `write` each, so that a killed process leaves whole lines.
    func run(until count: Int) async throws {
        let store = try await SQLiteJobStore.open(path: Self.database(directory), now: .origin)
        let journal = open(Self.journal(directory), O_WRONLY | O_CREAT | O_APPEND, 0o600)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<Self.writers {
                group.addTask {
                    while true {
                        let pair = try await store.add(.sample(), .sample())
                        let line = pair.map(\.text).joined(separator: " ") + "\n"
                        _ = line.withCString { write(journal, $0, strlen($0)) }
                    }
                }
            }
            group.addTask {
                var status = stat()
                // A line is two ids of 29 characters, a space and a newline.
                while fstat(journal, &status) == 0, status.st_size < count * 60 { await Task.yield() }
                kill(getpid(), SIGKILL)
            }
            try await group.waitForAll()
        }
    }
}
