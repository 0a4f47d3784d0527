import Glibc

/// A directory with a short name, since sockets live in it, that is gone with its last reference.
public final class TemporaryDirectory: Sendable {
    public let path: String

    public init() throws {
        var template = Array("/tmp/sp-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw NeverCame(description: "mkdtemp: errno \(errno)") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        for launcher in ["launcher", "worker/launcher"] { LauncherTraces.remove("\(path)/\(launcher)") }
        Self.remove(path)
    }

    private static func remove(_ path: String) {
        guard unlink(path) != 0, errno == EISDIR || errno == EPERM else { return }
        for name in LauncherTraces.names(in: path) { remove("\(path)/\(name)") }
        rmdir(path)
    }
}
