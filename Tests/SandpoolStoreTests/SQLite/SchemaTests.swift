import Foundation
import GRDB
import SandpoolModel
import Testing

@testable import SandpoolStore

@Suite struct SchemaTests {
    /// What the migrations make must be what people read in `schema.sql`; write it anew with every migration.
    @Test func theMigratedSchemaIsTheCommittedOne() async throws {
        try await withScratchDirectory { directory in
            let store = try await SQLiteJobStore.open(path: directory + "/store.sqlite", now: .origin)
            let statements = try await store.read { database in
                try String.fetchAll(
                    database, sql: "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid")
            }
            try await store.close()
            let committed = try String(
                contentsOf: packageRoot.appending(path: "Sources/SandpoolStore/Schema/schema.sql"), encoding: .utf8)
            let migrated = statements.map { $0 + ";\n" }.joined(separator: "\n")
            #expect(migrated == committed)
        }
    }

    @Test func migrationsAreNumberedFromOne() {
        #expect(Migration.all.map(\.version) == Array(1...Migration.all.count))
    }

    @Test func anAcknowledgedCommitIsSynced() async throws {
        try await withScratchDirectory { directory in
            let store = try await SQLiteJobStore.open(path: directory + "/store.sqlite", now: .origin)
            let pragmas = try await store.write { database in
                try ["synchronous", "journal_mode", "foreign_keys"].map {
                    try String.fetchOne(database, sql: "PRAGMA \($0)")
                }
            }
            // 2 is FULL: <https://www.sqlite.org/pragma.html#pragma_synchronous>
            #expect(pragmas == ["2", "wal", "1"])
            try await store.close()
        }
    }

    /// The claim's cost must not grow with the queue: a search by index, and nothing sorted.
    @Test(arguments: [
        QueueSQL.head, QueueSQL.samePriority, QueueSQL.below, QueueSQL.firstOfNextDemand, QueueSQL.ofDemand,
        QueueSQL.expire, QueueSQL.release, QueueSQL.releasePutOff,
        QueueSQL.nextExpiry, QueueSQL.nextRelease, QueueSQL.toTake, QueueSQL.liveLease, AttemptSQL.held,
        AttemptSQL.liveOfWorker, JobSQL.newest, JobSQL.newestByName, JobSQL.byID, JobSQL.attempts,
        ArchiveSQL.endedFirst, ArchiveSQL.endedLast, ArchiveSQL.toPrune, ArchiveSQL.blobs, ArchiveSQL.prune,
        ArchiveSQL.isUsed, JobSQL.list(inOneState: true, tagCount: 0), JobSQL.list(inOneState: false, tagCount: 2),
    ])
    func hotStatementsAreServedByAnIndex(sql: String) async throws {
        try await withScratchDirectory { directory in
            let store = try await SQLiteJobStore.open(path: directory + "/store.sqlite", now: .origin)
            let plan = try await store.read { database in
                let statement = try database.makeStatement(sql: "EXPLAIN QUERY PLAN " + sql)
                // A plan does not depend on the values; what is not bound is NULL.
                statement.setUncheckedArguments([])
                return try Row.fetchAll(statement).map { $0["detail"] as String }
            }
            try await store.close()
            #expect(!plan.isEmpty)
            for step in plan {
                #expect(!step.contains("TEMP B-TREE"), "\(plan)")
                let isWholeTable = step.hasPrefix("SCAN") && !step.contains("USING")
                #expect(!isWholeTable || sql == JobSQL.newest, "\(plan)")
            }
        }
    }
}
