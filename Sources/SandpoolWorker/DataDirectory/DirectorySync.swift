import Glibc
import LinuxSystem

/// Makes names durable: fsync(2) of the directory that holds them.
enum DirectorySync {
    static func sync(parentOf path: String) throws(SystemError) {
        let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let directory = try FileDescriptor.open(parent.isEmpty ? "/" : parent, O_RDONLY | O_DIRECTORY)
        try systemCall("fsync \(parent)") { fsync(directory.raw) }
    }
}
