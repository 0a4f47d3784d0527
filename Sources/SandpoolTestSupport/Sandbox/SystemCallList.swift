import Foundation

/// The golden list of what a sandbox may ask of the kernel: `system-calls.txt` beside this file.
public struct SystemCallList: Sendable {
    public struct Entry: Sendable {
        public let name: String
        public let x86: UInt32?
        public let arm: UInt32?
        /// `allow`, `EPERM`, `ENOSYS`, or `args` where it depends on the arguments.
        public let run: String
        public let build: String
    }

    public let entries: [Entry]

    public init() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "system-calls.txt")
        entries = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").filter { !$0.hasPrefix("#") }
            .map { line in
                let words = line.split(separator: " ").map(String.init)
                guard words.count == 5 else { throw CocoaError(.fileReadCorruptFile) }
                return Entry(
                    name: words[0], x86: UInt32(words[1]), arm: UInt32(words[2]), run: words[3], build: words[4])
            }
    }

    /// The entry of each number on x86_64, or on aarch64.
    public func numbered(x86: Bool) -> [UInt32: Entry] {
        let pairs = entries.compactMap { entry in (x86 ? entry.x86 : entry.arm).map { ($0, entry) } }
        return Dictionary(pairs) { first, _ in first }
    }
}
