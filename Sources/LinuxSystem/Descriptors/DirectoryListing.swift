import Glibc

/// What is in a directory (readdir(3)), without `.` and `..`.
public enum DirectoryListing {
    /// The names in a directory, sorted.
    public static func names(in path: String) throws(SystemError) -> [String] {
        guard let stream = opendir(path) else { throw SystemError("opendir \(path)", code: errno) }
        defer { closedir(stream) }
        return names(in: stream).sorted()
    }

    /// The names in an open directory.
    public static func names(in directory: FileDescriptor) throws(SystemError) -> [String] {
        let stream = try open(directory)
        defer { closedir(stream) }
        return names(in: stream)
    }

    /// Whether an open directory has another entry than these; reads no further than to the first.
    public static func hasEntry(in directory: FileDescriptor, except known: Set<String>) throws(SystemError) -> Bool {
        let stream = try open(directory)
        defer { closedir(stream) }
        while let name = nextName(in: stream) {
            if !known.contains(name) { return true }
        }
        return false
    }

    /// Calls `body` with each name in an open directory, as it is on disk and as long as the call lasts; a name need
    /// not be text. What `body` removes or makes may be seen or not.
    public static func each(
        in directory: FileDescriptor, _ body: (UnsafePointer<CChar>) throws(SystemError) -> Void
    ) throws(SystemError) {
        let stream = try open(directory)
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            try withUnsafePointer(to: &entry.pointee.d_name) { pointer throws(SystemError) in
                try pointer.withMemoryRebound(to: CChar.self, capacity: 256) { name throws(SystemError) in
                    if strcmp(name, ".") != 0, strcmp(name, "..") != 0 { try body(name) }
                }
            }
        }
    }

    /// Opened anew, since a copy would share its position.
    private static func open(_ directory: FileDescriptor) throws(SystemError) -> OpaquePointer {
        let raw = try systemCall("openat .") { openat(directory.raw, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        // Takes the descriptor over.
        if let stream = fdopendir(raw) { return stream }
        let code = errno
        close(raw)
        throw SystemError("fdopendir", code: code)
    }

    private static func names(in stream: OpaquePointer) -> [String] {
        var names: [String] = []
        while let name = nextName(in: stream) { names.append(name) }
        return names
    }

    private static func nextName(in stream: OpaquePointer) -> String? {
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { return name }
        }
        return nil
    }
}
