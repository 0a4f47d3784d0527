import Glibc
import LinuxSystem
import SandpoolSandbox
import Testing

/// Spool files are used again, and nobody ever sees another sandbox's output in one.
@Suite struct SpoolTests {
    @Test func aFileIsUsedAgainAndStartsEmpty() throws {
        try withLauncher { launcher in
            var inodes: Set<ino_t> = []
            for number in 0..<20 {
                let isLoud = number % 2 == 0
                let plan = SandboxPlan.shell(isLoud ? "head -c 5000 /dev/zero" : "true")
                let started = try launcher.start(plan)
                inodes.insert(try inode(of: started.output))
                // Checks that the file holds as many bytes as the report says, and not one more.
                #expect(try launcher.finish(plan.id, started).output.count == (isLoud ? 5_000 : 0))
            }
            #expect(inodes.count < 20, "no file was used again")
        }
    }

    @Test func aFileThatSomebodyHasOpenIsLeftAlone() throws {
        try withLauncher { launcher in
            let first = SandboxPlan.shell("echo first")
            let kept = try launcher.start(first)
            #expect(try launcher.finish(first.id, kept).text == "first\n")
            // Released, and still open here: the others must not get it, whatever they write.
            for _ in 0..<80 { #expect(try launcher.run(.shell("echo other")).text == "other\n") }
            #expect(try text(of: kept.output) == "first\n")
        }
    }

    @Test func aReaderCannotWrite() throws {
        try withLauncher { launcher in
            let plan = SandboxPlan.shell("echo mine")
            let started = try launcher.start(plan)
            #expect(write(started.output.raw, "x", 1) == -1 && errno == EBADF)
            #expect(try launcher.finish(plan.id, started).text == "mine\n")
        }
    }

    /// Each is ahead of its pace for the most time, on both streams, and has to wait; nothing gets lost by it.
    @Test func outputOfNeighboursIsCompleteWhereEachHasToWait() throws {
        try withLauncher { launcher in
            let script = """
                import os
                text = b''.join(b'%09d\\n' % number for number in range(350_000))
                for start in range(0, len(text), 50_000):
                    for stream in (1, 2): os.write(stream, text[start:start + 50_000])
                """
            let plans = (0..<3).map { number in
                var plan = SandboxPlan.test("/usr/bin/python3", "-c", script, id: "loud-\(number)")
                plan.limits.cpuMillis = 100
                return plan
            }
            let started = try plans.map { try launcher.start($0) }
            let expected = (0..<350_000).map { "\($0 + 1_000_000_000)\n".dropFirst() }.joined()
            for (plan, started) in zip(plans, started) {
                let end = try launcher.finish(plan.id, started)
                #expect(end.report.end == .exited(code: 0) && !end.report.outputTruncated)
                #expect(end.text == expected && end.errorText == expected, "\(end.output.count) bytes")
            }
        }
    }

    private func inode(of file: FileDescriptor) throws -> ino_t {
        var state = stat()
        try #require(fstat(file.raw, &state) == 0)
        return state.st_ino
    }

    private func text(of file: FileDescriptor) throws -> String {
        try #require(lseek(file.raw, 0, SEEK_SET) == 0)
        return String(decoding: try file.readAll(limit: 1_000), as: UTF8.self)
    }
}
