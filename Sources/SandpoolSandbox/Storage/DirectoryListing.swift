import Glibc
import LinuxSystem

enum DirectoryListing {
    /// The names in an open directory, without `.` and `..`.
    static func names(in directory: FileDescriptor) -> [String] {
        guard let own = try? directory.open(".", O_RDONLY | O_DIRECTORY) else { return [] }
        // fdopendir takes the descriptor over.
        guard let stream = fdopendir(dup(own.raw)) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
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
