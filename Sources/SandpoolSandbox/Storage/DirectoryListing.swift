import Glibc
import LinuxSystem

enum DirectoryListing {
    /// The names in an open directory, without `.` and `..`.
    static func names(in directory: FileDescriptor) -> [String] {
        var names: [String] = []
        visit(directory) { name in
            names.append(name)
            return true
        }
        return names
    }

    /// Whether a directory has another entry than these; reads no further than to the first.
    static func hasEntry(in directory: FileDescriptor, except known: Set<String>) -> Bool {
        var isFound = false
        visit(directory) { name in
            isFound = !known.contains(name)
            return !isFound
        }
        return isFound
    }

    /// Hands over one name after the other for as long as `goesOn` says so.
    private static func visit(_ directory: FileDescriptor, _ goesOn: (String) -> Bool) {
        guard let own = try? directory.open(".", O_RDONLY | O_DIRECTORY) else { return }
        // fdopendir takes the descriptor over.
        guard let stream = fdopendir(dup(own.raw)) else { return }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != "..", !goesOn(name) { return }
        }
    }
}

extension FileDescriptor {
    /// Where a symbolic link points, nil when `name` is none.
    func symbolicLink(_ name: String) -> String? {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = buffer.withUnsafeMutableBytes { space in
            space.withMemoryRebound(to: CChar.self) {
                guard let base = $0.baseAddress else { return 0 }
                return readlinkat(raw, name, base, $0.count)
            }
        }
        return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
    }
}
