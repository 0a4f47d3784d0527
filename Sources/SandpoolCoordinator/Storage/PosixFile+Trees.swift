import Glibc

/// Whole files and folders.
extension PosixFile {
    /// What is copied at a time.
    private static let copyBytes = 1 << 20

    /// Copies a file as far as it goes now to a new one, durably but for its name.
    ///
    /// - Returns: how many bytes; `nil` where there is no such file.
    static func copy(_ path: String, to target: String) throws(FileError) -> Int64? {
        let source: PosixFile
        do throws(FileError) {
            source = try PosixFile(path: path, flags: O_RDONLY)
        } catch {
            guard error.code == ENOENT else { throw error }
            return nil
        }
        let copy = try PosixFile(path: target, flags: O_WRONLY | O_CREAT | O_EXCL)
        let end = try source.size()
        var offset: Int64 = 0
        while offset < end {
            let bytes = try source.read(at: offset, limit: Int(min(end - offset, Int64(copyBytes))))
            guard bytes.readableBytes > 0 else { break }
            try copy.write(bytes, at: offset)
            offset += Int64(bytes.readableBytes)
        }
        try copy.sync()
        return offset
    }

    /// Removes a folder and what is in it, as far as it can be.
    static func removeTree(_ path: String) {
        guard unlink(path) != 0, errno == EISDIR || errno == EPERM else { return }
        try? names(in: path) { removeTree("\(path)/\($0)") }
        rmdir(path)
    }

    static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
