import Glibc
import LinuxSystem
import Testing

@testable import SandpoolWorker

@Suite struct ProcessSpawnTests {
    /// A library may have opened it without close-on-exec, and it may be anything: a token file, a client's socket.
    @Test func aProgramInheritsNothingButWhatIsNamed() throws {
        let foreign = fcntl(STDERR_FILENO, F_DUPFD, 300)
        defer { close(foreign) }
        let pipe = try Pipe()
        let script = "for fd in /proc/self/fd/*; do echo ${fd##*/}; done"
        let pid = try ProcessSpawn.start(
            ["/bin/sh", "-c", script], environment: [], descriptors: [(pipe.writeEnd.raw, 1), (pipe.writeEnd.raw, 4)])
        var status: Int32 = -1
        #expect(waitpid(pid, &status, 0) == pid && status == 0)
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = read(pipe.readEnd.raw, &bytes, bytes.count)
        let numbers = Set(String(decoding: bytes[..<max(0, count)], as: UTF8.self).split(separator: "\n"))
        // The listing itself has the directory open.
        #expect(numbers.isSuperset(of: ["0", "1", "2", "4"]) && !numbers.contains("\(foreign)"))
        #expect(numbers.count <= 5, "\(numbers.sorted())")
    }
}
