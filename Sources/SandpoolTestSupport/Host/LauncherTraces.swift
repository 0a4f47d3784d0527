import Glibc

/// What a launcher has outside its data directory.
public enum LauncherTraces {
    private static let tries = 2_000
    private static let tryMicroseconds: UInt32 = 5_000

    /// Waits for the launcher of a data directory to be gone, and removes the cgroups of one that was killed,
    /// which the next one in that directory would do. There is none: the directory is about to be deleted.
    public static func remove(_ dataDirectory: String) {
        waitForEnd(dataDirectory)
        for path in lines(of: "\(dataDirectory)/cgroups") {
            for name in names(in: path) { rmdir("\(path)/\(name)") }
            rmdir(path)
        }
    }

    /// It holds a lock as long as it lives.
    private static func waitForEnd(_ dataDirectory: String) {
        let lock = open("\(dataDirectory)/lock", O_RDWR | O_CLOEXEC)
        guard lock >= 0 else { return }
        defer { close(lock) }
        for _ in 0..<tries where flock(lock, LOCK_EX | LOCK_NB) != 0 { usleep(tryMicroseconds) }
    }

    /// The entries of a directory; none when there is no such directory.
    public static func names(in path: String) -> [String] {
        guard let stream = opendir(path) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                })
        }
        return names.filter { $0 != "." && $0 != ".." }
    }

    private static func lines(of path: String) -> [String] {
        guard let file = fopen(path, "re") else { return [] }
        defer { fclose(file) }
        var lines: [String] = []
        var buffer = [CChar](repeating: 0, count: 4_096)
        while fgets(&buffer, Int32(buffer.count), file) != nil {
            let bytes = buffer.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }
            lines.append(String(decoding: bytes, as: UTF8.self))
        }
        return lines
    }
}
