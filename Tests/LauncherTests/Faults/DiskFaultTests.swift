import Foundation
import LinuxSystem
import SandpoolSandbox
import Testing

/// A launcher that dies, at any point of a disk's life, leaves none of it.
@Suite struct DiskFaultTests {
    enum Point: CaseIterable {
        /// The start is asked for.
        case asked
        /// A child is at work on the disk.
        case making
        /// There is a loop device over the launcher's data.
        case attached
        case started
        /// With much written and not yet on the host's disk.
        case ended
    }

    @Test(arguments: Point.allCases) func aKilledLauncherLeavesNoDisk(point: Point) throws {
        let directory = try LauncherProcess.temporaryDirectory()
        defer { LauncherProcess.removeData(directory) }
        let first = try Service(directory)
        let client = try first.connect()
        let isEnded = point == .ended
        let script = "head -c 60000000 /dev/zero > /tmp/x; \(isEnded ? "exit 3" : "echo up; sleep 1000")"
        try client.request(.test("/bin/sh", "-c", script, memory: 32 << 20, disk: 64 << 20))
        switch point {
        case .asked: break
        case .making: try wait(first) { try LauncherState(of: first.process).children.count > 1 }
        case .attached: try wait(first) { !LoopDevices.over(directory).isEmpty }
        case .started, .ended:
            guard case .started = try client.outcome(of: "test") else { throw TestFailure("no start") }
            #expect(!LoopDevices.over(directory).isEmpty)
            if isEnded { try #expect(client.report(of: "test").end == .exited(code: 3)) }
        }
        kill(first.process.pid, SIGKILL)
        first.process.wait()
        try LoopDevices.awaitNone(over: directory)

        let second = try Service(directory)
        let plan = SandboxPlan.test("/bin/true", memory: 32 << 20, disk: 64 << 20)
        try #expect(second.connect().run(plan).report.writableLayer == .loop)
        second.stop()
        try LoopDevices.awaitNone(over: directory)
        try #expect(FileManager.default.contentsOfDirectory(atPath: directory + "/disks").isEmpty)
        #expect(hostMounts(below: directory).isEmpty)
    }

    /// Directories with a limit, of a launcher on a file system that has none any more.
    @Test func whatAnEarlierLauncherLeftIsRemoved() throws {
        let directory = try LauncherProcess.temporaryDirectory()
        defer { LauncherProcess.removeData(directory) }
        let left = directory + "/projects/1073741824/upper/some/where"
        try FileManager.default.createDirectory(atPath: left, withIntermediateDirectories: true)
        #expect(FileManager.default.createFile(atPath: left + "/file", contents: nil))
        let service = try Service(directory)
        try #expect(service.connect().run(.test("/bin/true")).report.end == .exited(code: 0))
        try wait(service) { try FileManager.default.contentsOfDirectory(atPath: directory + "/projects").isEmpty }
        service.stop()
    }

    private func wait(_ service: Service, _ condition: () throws -> Bool) throws {
        let clock = ContinuousClock()
        let end = clock.now + .seconds(60)
        while try !condition() {
            guard clock.now < end, !service.process.ends(within: 0) else { throw TestFailure("it never came") }
        }
    }
}
