import Foundation
import SandpoolSandbox
import Testing

/// Pid 1 of each sandbox is a copy of the launcher's memory: no other job's command or environment may be in it, should
/// a sandbox ever read it.
@Suite struct MemoryTests {
    /// With a writable layer in memory, and with one on a disk, for which the plan has to wait.
    @Test(arguments: [64 << 20, 320 << 20] as [UInt64]) func noOtherJobsSecretsAreInPid1(disk: UInt64) throws {
        let secrets = [UUID().uuidString, UUID().uuidString]
        try withLauncher { launcher in
            let process = try #require(launcher.process)
            let one = SandboxPlan.test(
                "/bin/sh", "-c", "echo up; read line", secrets[0], id: "one", environment: ["TOKEN=\(secrets[1])"],
                disk: disk, stdin: .pipe)
            let first = try launcher.start(one)
            try launcher.waitForOutput("one", atLeast: 3)
            let second = try launcher.start(.test("/bin/cat", id: "two", stdin: .pipe))
            // Both pids 1 and the launcher's helpers; below them the commands.
            let copies = try children(of: "\(process.pid)")
            #expect(copies.count >= 3)
            for secret in secrets.map({ Data($0.utf8) }) {
                let places = try copies.filter { id in
                    do { return try holds(id, secret) } catch where access("/proc/\(id)", F_OK) != 0 {
                        // It made a disk ahead and has ended.
                        return false
                    }
                }
                // Its command starts in the memory of its own pid 1; found there, it would be found elsewhere too.
                #expect(places.count == 1)
                let commands = try places.flatMap(children)
                #expect(try commands.count == 1 && commands.allSatisfy { try holds($0, secret) })
                try #expect(!holds("\(process.pid)", secret))
            }
            for (id, started) in [("one", first), ("two", second)] {
                try launcher.send(.cancel(id: id, graceMs: 0))
                _ = try launcher.finish(id, started)
            }
        }
    }

    private func children(of pid: String) throws -> [String] {
        try String(contentsOfFile: "/proc/\(pid)/task/\(pid)/children", encoding: .utf8)
            .split(separator: " ").map(String.init)
    }

    /// Looks through everything that a process has written, as the host's root can: proc_pid_maps(5),
    /// proc_pid_mem(5).
    private func holds(_ pid: String, _ secret: Data) throws -> Bool {
        let file = try FileHandle(forReadingFrom: URL(filePath: "/proc/\(pid)/mem"))
        var searched = 0
        for line in try String(contentsOfFile: "/proc/\(pid)/maps", encoding: .utf8).split(separator: "\n") {
            let words = line.split(separator: " ")
            let bounds = words[0].split(separator: "-").compactMap { UInt64($0, radix: 16) }
            guard words[1].hasPrefix("rw"), bounds.count == 2 else { continue }
            try file.seek(toOffset: bounds[0])
            let content = try file.read(upToCount: Int(bounds[1] - bounds[0])) ?? Data()
            if content.range(of: secret) != nil { return true }
            searched += content.count
        }
        #expect(searched > 0)
        return false
    }
}
