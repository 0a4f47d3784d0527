import Foundation
import LinuxSystem
import SandpoolSandbox
import Testing

/// A launcher that listens on a socket and outlives its workers.
final class Service {
    let directory: String
    let process: LauncherProcess
    private var path: String { directory + "/socket" }

    init(_ directory: String, prefix: [String] = [], program: String? = nil, log: String? = nil) throws {
        self.directory = directory
        // A test run that is killed leaves it alone; then it ends by itself.
        process = try LauncherProcess(
            dataDirectory: directory, arguments: ["--socket", directory + "/socket", "--exit-when-idle", "60"],
            prefix: prefix, program: program, log: log)
    }

    /// Waits for the launcher to listen or to end: it has nobody to tell that it listens.
    func socket() throws -> SeqPacketSocket {
        let clock = ContinuousClock()
        let end = clock.now + .seconds(60)
        while true {
            do { return try SeqPacketSocket.connect(path: path) } catch {
                guard clock.now < end, !process.ends(within: 5) else { throw error }
            }
        }
    }

    /// The end of an earlier worker may still be on its way to the launcher.
    func connect() throws -> LauncherClient {
        try LauncherClient(socket(), process)
    }

    func stop() {
        kill(process.pid, SIGTERM)
        let status = process.wait()
        #expect(status == 0, "the launcher ended with status \(status)")
    }

    deinit {
        if !process.hasEnded {
            kill(process.pid, SIGKILL)
            process.wait()
        }
    }
}

/// A launcher service for one test, after which nothing of it may be left on the host.
func withService(_ body: (Service) throws -> Void) throws {
    let directory = try LauncherProcess.temporaryDirectory()
    defer { LauncherProcess.removeData(directory) }
    let service = try Service(directory)
    try body(service)
    service.stop()
    #expect(hostMounts(below: directory).isEmpty)
    for path in service.process.cgroupDirectories() {
        #expect(!FileManager.default.fileExists(atPath: path), "\(path) is left")
    }
}
