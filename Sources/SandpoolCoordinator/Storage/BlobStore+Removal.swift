import Glibc

/// What goes when no job uses it any more.
///
/// A job may be submitted for a blob at the moment at which the last other one that used it goes. So whoever is about
/// to use a blob marks it by the moment of its last change, and one that was marked lately stays.
extension BlobStore {
    /// Marks a blob as about to be used; whether there is one.
    func claim(_ digest: String) async throws -> Bool {
        guard let path = Self.path(of: digest, in: root) else { return false }
        return try await pool.runIfActive { [self] in
            try changes.withLock { _ in
                // utimensat(2): without times, both become now.
                guard utimensat(AT_FDCWD, path, nil, 0) != 0 else { return true }
                guard errno != ENOENT else { return false }
                throw FileError(operation: "utimensat", path: path, code: errno)
            }
        }
    }

    /// Removes blobs that no job uses, but for those that were claimed or stored within `seconds` before `now`.
    ///
    /// - Returns: how many bytes they had.
    @discardableResult
    func remove(_ digests: [String], notChangedFor seconds: Int, now: Int) async throws -> Int64 {
        let paths = digests.compactMap { Self.path(of: $0, in: root) }
        return try await pool.runIfActive { [self] in
            var bytes: Int64 = 0
            for path in paths {
                try changes.withLock { _ in
                    guard let status = try PosixFile.status(path), status.modifiedAt <= now - seconds else { return }
                    guard unlink(path) == 0 else { return }
                    bytes += status.bytes
                }
            }
            return bytes
        }
    }

    /// How many bytes each of these blobs has; 0 for one that is not there.
    func sizes(of digests: [String]) async throws -> [Int64] {
        let root = root
        return try await pool.runIfActive {
            try digests.map { try Self.path(of: $0, in: root).flatMap { try PosixFile.status($0)?.bytes } ?? 0 }
        }
    }

    /// The blobs whose digests begin with the same two digits and that were not changed for so many seconds.
    func digests(on shelf: String, notChangedFor seconds: Int, now: Int) async throws -> [String] {
        let folder = "\(root)/sha256/\(shelf)"
        return try await pool.runIfActive {
            var digests: [String] = []
            try PosixFile.names(in: folder) { name in
                guard let status = try PosixFile.status("\(folder)/\(name)"), status.modifiedAt <= now - seconds else {
                    return
                }
                digests.append("sha256:\(name)")
            }
            return digests
        }
    }

    static let shelves: [String] = (0..<256).map { number in
        let digits = String(number, radix: 16)
        return digits.count == 2 ? digits : "0" + digits
    }
}
