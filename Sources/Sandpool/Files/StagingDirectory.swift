import Glibc

/// A private directory that a stranger's archive is unpacked into, and that things are taken out of by name.
struct StagingDirectory {
    let path: String

    /// - Parameter destination: where things will go; on the same file system they are moved, not copied.
    init(beside destination: String) throws(SandpoolError) {
        let parent = LocalPath.split(destination).directory
        var template = Array("\(parent)/.sandpool-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw .file("make a directory in \(parent)", errno) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Moves what stands for a path of the sandbox to its place here.
    func take(_ remote: String, to local: String) throws(SandpoolError) {
        let source = try resolve(remote)
        try makeHarmless(source)
        var target = local
        var status = stat()
        if stat(local, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
            target = local + "/" + LocalPath.split(remote).name
        }
        guard rename(source, target) == 0 else { throw .file("put \(remote) at \(target)", errno) }
    }

    /// Follows no link: in an archive of a stranger any of them may lead out of here.
    private func resolve(_ remote: String) throws(SandpoolError) -> String {
        var place = path
        let names = remote.split(separator: "/")
        for (index, name) in names.enumerated() {
            place += "/" + name
            guard let mode = LocalPath.mode(at: place), index == names.count - 1 || mode & S_IFMT == S_IFDIR else {
                throw SandpoolError(
                    code: "download_missing", message: "the command left nothing at \(remote)")
            }
        }
        return place
    }

    /// Keeps files, directories and links; drops devices, pipes and sockets, and set-id bits. No link is followed.
    private func makeHarmless(_ root: String) throws(SandpoolError) {
        try walk(root) { entry, mode throws(SandpoolError) in
            switch mode & S_IFMT {
            case S_IFLNK: break
            case S_IFREG, S_IFDIR:
                if mode & 0o7000 != 0, chmod(entry, mode & 0o777) != 0 { throw .file("chmod \(entry)", errno) }
            default:
                if unlink(entry) != 0 { throw .file("remove \(entry)", errno) }
            }
        }
    }

    func remove() {
        try? walk(path) { entry, mode throws(SandpoolError) in
            if mode & S_IFMT == S_IFDIR {
                rmdir(entry)
            } else {
                unlink(entry)
            }
        }
    }

    /// Calls `visit` with everything below and at a path, contents before their directory.
    private func walk(
        _ root: String, _ visit: (String, mode_t) throws(SandpoolError) -> Void
    ) throws(SandpoolError) {
        guard let mode = LocalPath.mode(at: root) else { return }
        if mode & S_IFMT == S_IFDIR {
            chmod(root, mode & 0o777 | 0o700)
            for name in try entries(of: root) { try walk("\(root)/\(name)", visit) }
        }
        try visit(root, mode)
    }

    private func entries(of directory: String) throws(SandpoolError) -> [String] {
        guard let stream = opendir(directory) else { throw .file("read \(directory)", errno) }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}
