import CLinux
import Glibc

/// More memory than a sandbox may have, in each of the places where it can be hidden. The whole sandbox may be what
/// ends; then nobody is left to say that it held, and whoever ran the probe says so.
enum MemoryProbes {
    static let all: [Probe] = [
        Probe("memory-bomb", .exhaustion, "more memory than its limit", behind: [.cgroup]) { around in
            fill(MAP_PRIVATE, around.bomb)
        },
        Probe("shared-memory-bomb", .exhaustion, "the same, as memory shared between processes", behind: [.cgroup]) {
            around in
            fill(MAP_SHARED, around.bomb)
        },
        Probe("memory-file-bomb", .exhaustion, "the same, as files that are in memory", behind: [.cgroup]) { around in
            fillFile(around.bomb)
        },
        Probe("pipe-bomb", .exhaustion, "the same, in pipes that nobody reads", behind: [.cgroup]) { around in
            fillPipes(around.bomb)
        },
    ]

    private static let chunk = 1 << 20

    private static func fill(_ kind: Int32, _ bytes: Int) -> Outcome {
        let memory = mmap(nil, bytes, PROT_READ | PROT_WRITE, kind | MAP_ANONYMOUS, -1, 0)
        guard let memory, memory != MAP_FAILED else { return .held("mmap: \(Answer.text(errno))") }
        for offset in stride(from: 0, to: bytes, by: 4_096) {
            memory.storeBytes(of: 1, toByteOffset: offset, as: UInt8.self)
        }
        munmap(memory, bytes)
        return .through("\(bytes >> 20) MiB were used")
    }

    private static func fillFile(_ bytes: Int) -> Outcome {
        let file = CLinux_memfd("sandpool-probe")
        guard file >= 0 else { return .held("memfd_create: \(Answer.text(errno))") }
        defer { close(file) }
        let block = [UInt8](repeating: 1, count: chunk)
        for _ in 0..<(bytes / chunk) {
            guard write(file, block, block.count) > 0 else { return .held("write: \(Answer.text(errno))") }
        }
        return .through("\(bytes >> 20) MiB were used")
    }

    private static func fillPipes(_ bytes: Int) -> Outcome {
        let block = [UInt8](repeating: 1, count: chunk)
        var filled = 0
        OpenFiles.raise()
        while filled < bytes {
            guard let pipe = PipeEnds() else { return .held("pipe after \(filled >> 20) MiB: \(Answer.text(errno))") }
            // F_SETPIPE_SZ, then until it is full. Beyond 64 MiB of one user a pipe holds two pages (pipe(7)).
            _ = Answer(__NR_fcntl, Int(pipe.writing), 1_031, chunk)
            _ = fcntl(pipe.writing, F_SETFL, O_NONBLOCK)
            let count = write(pipe.writing, block, block.count)
            guard count > 0 else { return .held("write: \(Answer.text(errno))") }
            filled += count
        }
        return .through("\(bytes >> 20) MiB were used")
    }
}

extension Surroundings {
    /// A quarter more than the limit.
    fileprivate var bomb: Int { memoryBytes + memoryBytes / 4 }
}
