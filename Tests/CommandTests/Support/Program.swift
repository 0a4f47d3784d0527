import FoundationEssentials
import Glibc
import LinuxSystem

/// `sandpool` as the process that a user starts.
enum Program {
    struct Result {
        var status: Int32
        var stdout: String
        var stderr: String

        var lines: [Substring] { stderr.split(separator: "\n") }
    }

    /// Beside the test bundle, where the same build puts it.
    static let path: String = {
        let bundle = CommandLine.arguments[0]
        let directory = bundle.lastIndex(of: "/").map { String(bundle[..<$0]) } ?? "."
        return "\(directory)/sandpool"
    }()

    /// Runs it to its end.
    static func run(_ arguments: [String], environment: [String: String] = [:], stdin: String = "") throws -> Result {
        let folder = "/tmp/sandpool-test-\(UUID().uuidString)"
        try Data(stdin.utf8).write(to: URL(filePath: folder))
        defer { remove(folder) }
        let input = try FileDescriptor.open(folder, O_RDONLY)
        return try RunningProgram([path] + arguments, environment: environment, stdin: input).waitForEnd()
    }

    /// The SHA-256 of a file, as sha256sum(1) says it.
    static func digest(of path: String) throws -> String {
        let result = try RunningProgram(["/usr/bin/sha256sum", path]).waitForEnd()
        return String(result.stdout.prefix { $0 != " " })
    }
}
