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
