import Glibc

/// What is in a directory (readdir(3)), without `.` and `..`.
public enum DirectoryListing {
    /// The names in a directory, sorted.
    public static func names(in path: String) throws(SystemError) -> [String] {
        guard let stream = opendir(path) else { throw SystemError("opendir \(path)", code: errno) }
        defer { closedir(stream) }
        return names(in: stream).sorted()
    }

    /// The names in an open directory; none where it cannot be read.
    public static func names(in directory: FileDescriptor) -> [String] {
        guard let stream = open(directory) else { return [] }
        defer { closedir(stream) }
        return names(in: stream)
    }

    /// Whether an open directory has another entry than these; reads no further than to the first.
    public static func hasEntry(in directory: FileDescriptor, except known: Set<String>) -> Bool {
        guard let stream = open(directory) else { return false }
        defer { closedir(stream) }
        while let name = nextName(in: stream) {
            if !known.contains(name) { return true }
        }
        return false
    }

    /// Opened anew, since a copy would share its position; fdopendir takes the copy of that over.
    private static func open(_ directory: FileDescriptor) -> OpaquePointer? {
        guard let own = try? directory.open(".", O_RDONLY | O_DIRECTORY) else { return nil }
        return fdopendir(dup(own.raw))
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
