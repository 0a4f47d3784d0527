import Foundation
import GRDB
import SandpoolModel
import Testing

@testable import SandpoolStore

@Suite struct MigrationTests {
    /// A later step, as one will look.
    private static let next = Migration(
        version: Migration.all.count + 1,
        sql: "ALTER TABLE jobs ADD COLUMN note TEXT; CREATE INDEX jobs_by_note ON jobs (note);")

    @Test func aGenerationCountsOpeningsAndTheIdentityStays() async throws {
        try await withScratchDirectory { directory in
            var identities: [StoreIdentity] = []
            for _ in 0..<3 {
                let store = try await SQLiteJobStore.open(path: directory + "/store.sqlite", now: .origin)
                identities.append(store.identity)
                try await store.close()
            }
            #expect(identities.map(\.generation) == [1, 2, 3])
            #expect(Set(identities.map(\.databaseID)).count == 1)
            let other = try await SQLiteJobStore.open(path: directory + "/other.sqlite", now: .origin)
            #expect(other.identity.databaseID != identities[0].databaseID)
            try await other.close()
        }
    }

    @Test func anOlderDatabaseIsBackedUpAndMigrated() async throws {
        try await withScratchDirectory { directory in
            let path = directory + "/store.sqlite"
            let old = try await SQLiteJobStore.open(path: path, now: .origin)
            let id = try await old.add(.sample { $0.name = "kept" })[0]
            try await old.close()

            let migrated = try SQLiteJobStore.open(path: path, migrations: Migration.all + [Self.next], now: .origin)
            #expect(try await migrated.existing(id).name == "kept")
            let notes = try await migrated.read { try Int.fetchOne($0, sql: "SELECT count(*) - count(note) FROM jobs") }
            #expect(notes == 1)
            try await migrated.close()

            let backup = "\(path).v\(Migration.all.count).backup"
            let restored = try await SQLiteJobStore.open(path: backup, now: .origin)
            #expect(try await restored.existing(id).name == "kept")
            // Who goes back to it loses what came after it.
            #expect(restored.identity.lostFutures.map(\.databaseID) == [old.identity.databaseID])
            try await restored.close()
            #expect(!FileManager.default.fileExists(atPath: backup + ".partial"))
        }
    }

    @Test func aStepThatFailsLeavesTheOldVersion() async throws {
        try await withScratchDirectory { directory in
            let path = directory + "/store.sqlite"
            try await SQLiteJobStore.open(path: path, now: .origin).close()
            let broken = Migration(version: Self.next.version, sql: Self.next.sql + "CREATE TABLE jobs (id TEXT);")
            #expect(throws: (any Error).self) {
                try SQLiteJobStore.open(path: path, migrations: Migration.all + [broken], now: .origin)
            }
            let store = try await SQLiteJobStore.open(path: path, now: .origin)
            let columns = try await store.read { try $0.columns(in: "jobs").map(\.name) }
            #expect(!columns.contains("note"))
            try await store.close()
        }
    }

    @Test func aNewerDatabaseIsRefusedInOneLineAndLeftAsItIs() async throws {
        try await withScratchDirectory { directory in
            let path = directory + "/store.sqlite"
            let newer = try SQLiteJobStore.open(path: path, migrations: Migration.all + [Self.next], now: .origin)
            try await newer.close()
            let before = try Data(contentsOf: URL(fileURLWithPath: path))
            let error = await #expect(throws: StoreError.self) {
                try await SQLiteJobStore.open(path: path, now: .origin)
            }
            #expect(
                error == .newerVersion(path: path, found: Self.next.version, supported: Migration.all.count))
            #expect(error?.description.contains("\n") == false)
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
        }
    }

    @Test func aDatabaseOfAnotherProgramIsLeftAlone() async throws {
        try await withScratchDirectory { directory in
            let path = directory + "/store.sqlite"
            let foreign = try DatabaseQueue(path: path)
            try await foreign.write { try $0.execute(sql: "CREATE TABLE recipes (id INTEGER PRIMARY KEY)") }
            try foreign.close()
            let before = try Data(contentsOf: URL(fileURLWithPath: path))
            await #expect(throws: StoreError.self) { try await SQLiteJobStore.open(path: path, now: .origin) }
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
        }
    }

    @Test func whatCannotBeOpenedIsATypedError() async throws {
        try await withScratchDirectory { directory in
            let garbage = directory + "/garbage.sqlite"
            try Data(repeating: 0x41, count: 8_192).write(to: URL(fileURLWithPath: garbage))
            let damaged = await #expect(throws: StoreError.self) {
                try await SQLiteJobStore.open(path: garbage, now: .origin)
            }
            guard case .corrupt = damaged else {
                Issue.record("\(String(describing: damaged))")
                return
            }
            let missing = await #expect(throws: StoreError.self) {
                try await SQLiteJobStore.open(path: directory + "/no/such/store.sqlite", now: .origin)
            }
            guard case .cannotOpen = missing else {
                Issue.record("\(String(describing: missing))")
                return
            }
        }
    }

    /// Databases as each version left them, in `Fixtures/versionN.sql`; add one before a new migration.
    @Test(arguments: 1...Migration.all.count)
    func everyVersionEverWrittenStillOpens(version: Int) async throws {
        let fixture = packageRoot.appending(
            path: "Tests/SandpoolStoreTests/Fixtures/version\(version).sql")
        let sql = try String(contentsOf: fixture, encoding: .utf8)
        try await withScratchDirectory { directory in
            let path = directory + "/store.sqlite"
            let old = try DatabaseQueue(path: path)
            try await old.writeWithoutTransaction { try $0.execute(sql: sql) }
            try old.close()
            let store = try await SQLiteJobStore.open(path: path, now: .origin)
            #expect(store.identity.generation == 2)
            #expect(try await store.counts() == [.queued: 1, .running: 1, .succeeded: 1])
            let job = try #require(try await store.jobs(JobQuery(states: [.succeeded])).first)
            #expect(job.exitCode == 0 && job.tags == ["os": "linux"] && job.attempts.first?.evidence?.wallMs == 12)
            let attempt = try #require(job.attempts.first)
            #expect(try await store.output(of: attempt.id)?.tails.first?.bytes == Array("hello\n".utf8))
            let live = try #require(try await store.liveAttempts(worker: nil).first)
            #expect(live.bootID == "boot-1")
            #expect(try await store.end(live.lease).verdict == .recorded)
            #expect(try await store.tokens().map(\.role) == [.admin])
            try await store.close()
            #expect(try findings(in: path) == [])
        }
    }
}
