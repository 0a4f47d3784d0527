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

    /// Runs `body` with an empty store of this kind, and removes it afterwards.
    func withStore<Value>(_ body: (any JobStore) async throws -> Value) async throws -> Value {
        switch self {
        case .memory:
            let store = MemoryJobStore()
            let value = try await body(store)
            try await store.close()
            return value
        case .sqlite:
            return try await withScratchDirectory { directory in
                let store = try await SQLiteJobStore.open(path: directory + "/store.sqlite", now: .origin)
                let value = try await body(store)
                try await store.close()
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

/// The folder of `Package.swift`.
let packageRoot = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
