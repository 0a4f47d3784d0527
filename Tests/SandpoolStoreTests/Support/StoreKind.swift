import Foundation
import SandpoolModel
import SandpoolStore
import SandpoolTestSupport
import Testing

/// Every implementation that the conformance suite is run against.
enum StoreKind: CaseIterable, CustomTestStringConvertible {
    case memory, sqlite

    var testDescription: String {
        switch self {
        case .memory: "memory"
        case .sqlite: "SQLite"
        }
    }

    /// Runs `body` with an empty store of this kind, looks for damage in what it leaves, and removes it.
    func withStore<Value>(_ body: (any JobStore) async throws -> Value) async throws -> Value {
        switch self {
        case .memory:
            let store = MemoryJobStore()
            let value = try await body(store)
            try await store.close()
            return value
        case .sqlite:
            return try await withScratchDirectory { directory in
                let path = directory + "/store.sqlite"
                let store = try await SQLiteJobStore.open(path: path, now: .origin)
                let value = try await body(store)
                try await store.close()
                #expect(try findings(in: path).isEmpty)
                return value
            }
        }
    }
}

/// A directory of its own below the temporary one, removed on every way out.
func withScratchDirectory<Value>(_ body: (String) async throws -> Value) async throws -> Value {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("sandpool-store-\(UUID())").path
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    return try await body(directory)
}

/// What the checker finds in a database.
func findings(in path: String) throws -> [CheckFinding] {
    var findings: [CheckFinding] = []
    let check = try DatabaseCheck(path: path)
    _ = try check.run { findings.append($0) }
    try check.close()
    return findings
}

/// The folder of `Package.swift`.
let packageRoot = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
