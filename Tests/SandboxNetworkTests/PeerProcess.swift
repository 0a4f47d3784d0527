import Foundation
import Glibc

/// A process beside the test that talks in lines. It sees the end of its input when the test is gone.
final class PeerProcess {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private var unread: [UInt8] = []

    init(_ words: [String], waitsUntilReady: Bool = true) throws {
        process.executableURL = URL(filePath: words[0])
        process.arguments = Array(words.dropFirst())
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        if waitsUntilReady, try line() != "ready" { throw CommandFailure(description: "\(words) did not start") }
    }

    var id: Int32 { process.processIdentifier }

    /// The words before a command that run it in this process's net namespace.
    var enter: [String] { ["/usr/bin/nsenter", "--net=/proc/\(id)/ns/net"] }

    func ask(_ line: String) throws -> String {
        try input.fileHandleForWriting.write(contentsOf: Data((line + "\n").utf8))
        return try self.line()
    }

    /// The next line; waits for it.
    func line() throws -> String {
        while true {
            if let end = unread.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: unread[..<end], as: UTF8.self)
                unread.removeSubrange(...end)
                return line
            }
            let data = output.fileHandleForReading.availableData
            guard !data.isEmpty else { throw CommandFailure(description: "\(process.arguments ?? []) ended") }
            unread += data
        }
    }

    /// Lines up to one that begins so.
    func lines(through prefix: String) throws -> [String] {
        var lines: [String] = []
        repeat { lines.append(try line()) } while !(lines.last?.hasPrefix(prefix) ?? true)
        return lines
    }

    func end(signal: Int32 = SIGKILL) {
        kill(id, signal)
        process.waitUntilExit()
    }
}
