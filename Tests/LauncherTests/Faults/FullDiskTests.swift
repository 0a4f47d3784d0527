import Foundation
import Glibc
import LinuxSystem
import SandpoolSandbox
import Testing

/// A launcher whose spools are on a disk without room: writers are held, and nothing else is.
@Suite struct FullDiskTests {
    private static let disks = [
        "mount -t tmpfs -o size=4m none \"$3/spool\"",
        "truncate -s 8M \"$3/disk\" && mkfs.ext4 -q -F -m 0 \"$3/disk\" && mount -o loop \"$3/disk\" \"$3/spool\"",
    ]

    @Test(arguments: disks) func aWriterIsHeldUntilThereIsRoom(disk: String) throws {
        try withLauncher(prefix: SpoolDisk.prefix(disk)) { launcher in
            let filler = try Filler(launcher, leaving: 1 << 20)
            let count = 400_000
            var plan = SandboxPlan.shell("seq \(count); exit 4", id: "held")
            plan.timers.idleMs = 700
            let started = try launcher.start(plan)
            try launcher.waitForOutput("held", atLeast: 512 << 10)
            // Longer than the silence that would end it.
            try awaitStall(launcher, started.output, "sleep 1.5; exit 3")
            try filler.remove()
            let finished = try launcher.finish("held", started)
            #expect(finished.report.end == .exited(code: 4) && finished.report.reason == .none)
            #expect(finished.report.stalledMs > 0)
            #expect(!finished.report.outputTruncated)
            let expected = (1...count).map { "\($0)\n" }.joined()
            #expect(finished.text == expected)
        }
    }

    @Test func aDeadlineEndsOneThatIsHeld() throws {
        try withLauncher(prefix: SpoolDisk.prefix(Self.disks[0])) { launcher in
            let process = try #require(launcher.process)
            let filler = try Filler(launcher, leaving: 256 << 10)
            let started = try launcher.start(.test("/usr/bin/yes", id: "held", timeoutMs: 500))
            // Its cgroup goes with its processes, before anybody can be told.
            while try !LauncherState(of: process).cgroups.isEmpty { try #require(!process.ends(within: 5)) }
            try filler.remove()
            let finished = try launcher.finish("held", started)
            #expect(finished.report.reason == .timeout)
            #expect(finished.report.stalledMs > 0 && !finished.report.outputTruncated)
            #expect(finished.output.count > 256 << 10)
            #expect(finished.output.indices.allSatisfy { finished.output[$0] == ($0 % 2 == 0 ? 0x79 : 0x0a) })
        }
    }

    @Test func anEndIsToldThoughTheDiskStaysFull() throws {
        try withLauncher(prefix: SpoolDisk.prefix(Self.disks[0])) { launcher in
            let filler = try Filler(launcher, leaving: 128 << 10)
            // What finds no room fits the pipe, so that the command can end; it waits there when that is.
            let started = try launcher.start(.shell("head -c 150000 /dev/zero; sleep 1; exit 5", id: "cut"))
            let finished = try launcher.finish("cut", started)
            #expect(finished.report.end == .exited(code: 5))
            #expect(
                finished.report.outputTruncated && finished.report.stalledMs > 0,
                "\(finished.report) \(finished.output.count)")
            #expect(finished.output.count <= 128 << 10 && !finished.output.isEmpty)
            try filler.remove()
            try #expect(launcher.run(.shell("echo room")).text == "room\n")
        }
    }

    /// Waits until no byte came through the whole life of another sandbox, whose end is told meanwhile.
    private func awaitStall(_ launcher: LauncherClient, _ output: FileDescriptor, _ script: String) throws {
        func size() throws -> off_t {
            var state = stat()
            try #require(fstat(output.raw, &state) == 0)
            return state.st_size
        }
        var before: off_t
        repeat {
            before = try size()
            try #expect(launcher.run(.shell(script, id: "other")).report.end == .exited(code: 3))
        } while try size() != before
    }

    /// A file that takes the room on a launcher's disk.
    private struct Filler {
        private let path: String

        init(_ launcher: LauncherClient, leaving left: UInt64) throws {
            let directory = SpoolDisk.visiblePath(try #require(launcher.process))
            path = directory + "/filler"
            var state = statvfs()
            try #require(statvfs(directory, &state) == 0)
            let free = UInt64(state.f_bavail) * UInt64(state.f_bsize)
            let file = try FileDescriptor.open(path, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
            try file.writeAll([UInt8](repeating: 1, count: Int(free - left)))
        }

        func remove() throws { try #require(unlink(path) == 0) }
    }
}
