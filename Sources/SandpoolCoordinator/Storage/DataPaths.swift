/// Where things are in a coordinator's data directory.
protocol DataPaths: Sendable {
    var path: String { get }
}

extension DataPaths {
    var database: String { "\(path)/sandpool.sqlite" }
    var output: String { "\(path)/output" }
    var blobs: String { "\(path)/blobs" }
    var reserve: String { "\(path)/reserve" }
    var adminToken: String { "\(path)/admin.token" }
}

/// A data directory that is not locked: a coordinator may run on it.
struct UnlockedDirectory: DataPaths {
    let path: String
}
