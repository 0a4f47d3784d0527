import Foundation
import GRDB
import Testing

@testable import SandpoolStore

@Suite struct CloseTests {
    /// Whoever copies the one file then has everything.
    @Test func anOrderlyEndLeavesNothingInTheLog() async throws {
        try await withScratchDirectory { directory in
            let path = directory + "/store.sqlite"
            let size = { (try? FileManager.default.attributesOfItem(atPath: path + "-wal")[.size] as? Int) ?? 0 }
            let store = try await SQLiteJobStore.open(path: path, now: .origin)
            let generation = store.identity.generation
            // Readers are open, too, and end last.
            async let counted = store.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM jobs") }
            async let again = store.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM workers") }
            #expect(try await [counted, again] == [0, 0])
            #expect(size() > 0)
            try await store.close()
            #expect(size() == 0)
            let copy = directory + "/copy.sqlite"
            try FileManager.default.copyItem(atPath: path, toPath: copy)
            let copied = try await SQLiteJobStore.open(path: copy, now: .origin)
            #expect(copied.identity.generation == generation + 1)
            try await copied.close()
        }
    }
}
