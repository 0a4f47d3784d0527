import Glibc

/// Files by their names.
extension PosixFile {
    /// Makes a name in a directory durable.
    static func syncDirectory(_ path: String) throws(FileError) {
        let directory = try PosixFile(path: path, flags: O_RDONLY | O_DIRECTORY)
        _ = try retry("fsync", path) { fsync(directory.descriptor) }
    }

    static func makeDirectory(_ path: String, mode: mode_t = 0o700) throws(FileError) {
        guard mkdir(path, mode) != 0, errno != EEXIST else { return }
        throw FileError(operation: "mkdir", path: path, code: errno)
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// Opens a file for reading; `nil` where there is none.
    static func openIfThere(_ path: String) throws(FileError) -> PosixFile? {
        do throws(FileError) { return try PosixFile(path: path, flags: O_RDONLY) } catch {
            guard error.code != ENOENT else { return nil }
            throw error
        }
    }

    /// How long a file is and when it was last written; `nil` where there is none.
    static func status(_ path: String) throws(FileError) -> (bytes: Int64, modifiedAt: Int)? {
        var status = stat()
        guard lstat(path, &status) != 0 else { return (Int64(status.st_size), status.st_mtim.tv_sec) }
        guard errno != ENOENT else { return nil }
        throw FileError(operation: "lstat", path: path, code: errno)
    }

    /// Calls `body` with each name in a directory, one at a time however many there are. A directory that is not there
    /// has none.
    static func names(in path: String, _ body: (String) throws -> Void) throws {
        guard let directory = opendir(path) else {
            if errno == ENOENT { return }
            throw FileError(operation: "opendir", path: path, code: errno)
        }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { try body(name) }
        }
    }
}
