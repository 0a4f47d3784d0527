import Foundation

/// A long-running process of a test: ended by its own id, whatever happens.
final class Service {
    let process = Process()
    let log: URL

    /// - Parameters:
    ///   - network: name of the network namespace to run in, made with `ip netns`.
    ///   - wrapper: a program that executes what it is given, and its own arguments.
    init(
        _ arguments: [String], log: URL, network: String? = nil, wrapper: [String] = [],
        environment: [String: String] = [:]
    ) throws {
        self.log = log
        // `nsenter` and not `ip netns exec`, which would mount another /sys and hide the host's cgroups.
        let inside = network.map { ["/usr/bin/nsenter", "--net=/run/netns/\($0)"] } ?? []
        let command = inside + wrapper + [Programs.sandpool] + arguments
        process.executableURL = URL(fileURLWithPath: command[0])
        process.arguments = Array(command.dropFirst())
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
        process.standardInput = FileHandle.nullDevice
        FileManager.default.createFile(atPath: log.path, contents: nil)
        let handle = try FileHandle(forWritingTo: log)
        process.standardOutput = handle
        process.standardError = handle
        try process.run()
    }

    /// Ends it as a service manager would, and waits.
    func stop() {
        guard process.isRunning else { return }
        process.terminate()
        process.waitUntilExit()
    }

    /// Ends it as a power cut would, and waits.
    func crash() {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    var logText: String { (try? String(contentsOf: log, encoding: .utf8)) ?? "" }
}
