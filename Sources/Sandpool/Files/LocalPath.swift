import Glibc

/// Paths on this side.
enum LocalPath {
    enum Kind {
        case file
        case directory
    }

    /// What a path leads to, links followed.
    static func kind(of path: String) throws(SandpoolError) -> Kind {
        var status = stat()
        guard stat(path, &status) == 0 else { throw .file("read \(path)", errno) }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return .file
        case S_IFDIR: return .directory
        default:
            throw SandpoolError(
                code: "file_failed", message: "cannot mount \(path): it is neither a file nor a directory")
        }
    }

    /// The kind of what stands at a path itself; `nil` where nothing does.
    static func mode(at path: String) -> mode_t? {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mode : nil
    }

    /// The directory that holds a path, and its name there.
    static func split(_ path: String) -> (directory: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return (".", path) }
        let directory = path[..<slash]
        return (directory.isEmpty ? "/" : String(directory), String(path[path.index(after: slash)...]))
    }
}
