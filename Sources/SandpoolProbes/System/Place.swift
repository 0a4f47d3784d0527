import Glibc
import LinuxSystem

/// Files that probes try, and files of their own.
enum Place {
    /// Whether a file opens for reading: of some, reading would take away what others want to read.
    static func opening(_ path: String) -> Outcome {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { return .held("open \(path): \(Answer.text(errno))") }
        close(file)
        return .through("\(path) can be opened")
    }

    /// Whether anything of a file can be read.
    static func reading(_ path: String) -> Outcome {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { return .held("open \(path): \(Answer.text(errno))") }
        defer { close(file) }
        // Some files of /proc consist of words of this size, and give no less.
        var word: UInt64 = 0
        let count = read(file, &word, 8)
        if count > 0 { return .through("\(path) can be read") }
        // Over such a file an empty one or /dev/null was mounted.
        return .held(count == 0 ? "\(path) is empty" : "read \(path): \(Answer.text(errno))")
    }

    /// Whether a file opens for writing; nothing is written.
    static func writing(_ path: String) -> Outcome {
        let file = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { return .held("open \(path): \(Answer.text(errno))") }
        close(file)
        return .through("\(path) can be written")
    }

    /// The whole of a small file; empty when it cannot be read.
    static func text(_ path: String) -> String {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return "" }
        defer { close(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while bytes.count < 1 << 20 {
            let count = read(file, &buffer, buffer.count)
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The names in a directory; empty when it cannot be read.
    static func names(_ path: String) -> [String] { (try? DirectoryListing.names(in: path)) ?? [] }

    /// A new directory of this probe's own; what is in it, a level deep, goes with it.
    static func withDirectory(below parent: String = "/tmp", _ body: (String) -> Outcome) -> Outcome {
        var template = Array("\(parent)/sandpool-probe-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { return .notRun("mkdtemp in \(parent): \(Answer.text(errno))") }
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer {
            for name in names(path) { if unlink("\(path)/\(name)") != 0 { rmdir("\(path)/\(name)") } }
            rmdir(path)
        }
        return body(path)
    }
}
