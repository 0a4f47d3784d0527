import Foundation
import Testing

/// The host's loop devices by what they are laid over.
enum LoopDevices {
    static func over(_ directory: String) -> [String] {
        let blocks = (try? FileManager.default.contentsOfDirectory(atPath: "/sys/block")) ?? []
        return blocks.filter { name in
            let file = try? String(contentsOfFile: "/sys/block/\(name)/loop/backing_file", encoding: .utf8)
            return file?.hasPrefix(directory + "/") ?? false
        }
    }

    /// The kernel takes them down when whoever used them last has been killed, which it does not wait for.
    static func awaitNone(over directory: String) throws {
        let clock = ContinuousClock()
        let end = clock.now + .seconds(60)
        while !over(directory).isEmpty {
            guard clock.now < end else { throw TestFailure("left: \(over(directory))") }
            poll(nil, 0, 5)
        }
    }
}

/// A launcher for one test, after which no loop device over its data may be left either.
func withDisks(prefix: [String] = [], _ body: (LauncherClient) throws -> Void) throws {
    var directory = ""
    try withLauncher(prefix: prefix) { launcher in
        directory = try #require(launcher.process?.dataDirectory)
        try body(launcher)
    }
    try LoopDevices.awaitNone(over: directory)
}
