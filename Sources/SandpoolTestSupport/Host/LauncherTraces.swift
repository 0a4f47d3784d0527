import Glibc
import LinuxSystem

/// What a launcher has outside its data directory.
public enum LauncherTraces {
    private static let tries = 2_000
    private static let tryMicroseconds: UInt32 = 5_000

    /// The launcher of a data directory and its spooler, found by their command lines.
    public static func processes(_ dataDirectory: String) -> [pid_t] {
        names(in: "/proc").compactMap { pid_t($0) }.filter { id in
            guard let file = fopen("/proc/\(id)/cmdline", "re") else { return false }
            defer { fclose(file) }
            var bytes = [UInt8](repeating: 0, count: 4_096)
            let count = fread(&bytes, 1, bytes.count, file)
            let words = bytes[..<count].split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            return words.first?.hasSuffix("sandpool-launcher") == true && words.contains(dataDirectory)
        }
    }

    /// Ends the launcher of a data directory, waits, and leaves nothing of it.
    public static func end(_ dataDirectory: String) {
        for id in processes(dataDirectory) { kill(id, SIGTERM) }
        remove(dataDirectory)
    }

    /// Waits for the launcher of a data directory to be gone, and removes the cgroups of one that was killed,
    /// which the next one in that directory would do. There is none: the directory is about to be deleted.
    public static func remove(_ dataDirectory: String) {
        waitForEnd(dataDirectory)
        for path in cgroups(of: dataDirectory) {
            for name in names(in: path) {
                for inner in names(in: "\(path)/\(name)") { rmdir("\(path)/\(name)/\(inner)") }
                rmdir("\(path)/\(name)")
            }
            rmdir(path)
        }
    }

    /// What its sandboxes' cgroups are below, as it wrote down.
    public static func cgroups(of dataDirectory: String) -> [String] { lines(of: "\(dataDirectory)/cgroups") }

    /// It holds a lock as long as it lives.
    private static func waitForEnd(_ dataDirectory: String) {
        let lock = open("\(dataDirectory)/lock", O_RDWR | O_CLOEXEC)
        guard lock >= 0 else { return }
        defer { close(lock) }
        for _ in 0..<tries where flock(lock, LOCK_EX | LOCK_NB) != 0 { usleep(tryMicroseconds) }
    }

    /// The entries of a directory; none when there is no such directory.
    public static func names(in path: String) -> [String] { (try? DirectoryListing.names(in: path)) ?? [] }

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
