import CLinux
import Glibc

/// More of the disk than a sandbox may have.
enum DiskProbes {
    static let all: [Probe] = [
        Probe("disk-bomb", .exhaustion, "more data than its writable layer holds", behind: [.mountNamespace]) {
            around in
            Place.withDirectory { write(around.diskBomb, in: $0) }
        },
        Probe("sparse-bomb", .exhaustion, "the same, in a file with holes", behind: [.mountNamespace]) { around in
            Place.withDirectory { write(around.diskBomb, in: $0, step: 1 << 20) }
        },
        Probe("fallocate-bomb", .exhaustion, "the same, by fallocate(2)", behind: [.mountNamespace]) { around in
            Place.withDirectory { path in
                let file = open("\(path)/file", O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)
                guard file >= 0 else { return .notRun("open: \(Answer.text(errno))") }
                defer { close(file) }
                return Answer(__NR_fallocate, Int(file), 0, 0, around.diskBomb).outcome("fallocate")
            }
        },
        Probe("device-memory-bomb", .exhaustion, "the same, in /dev/shm", behind: [.mountNamespace]) { around in
            Place.withDirectory(below: "/dev/shm") { write(around.diskBomb, in: $0) }
        },
        Probe("inode-bomb", .exhaustion, "more files than its writable layer holds", behind: [.mountNamespace]) { _ in
            Place.withDirectory { makeFiles(inodes, in: $0) }
        },
        Probe("file-flags", .kernel, "take a file out of what its disk's limit counts", behind: [.seccomp]) { _ in
            Place.withDirectory(flags)
        },
    ]

    /// Above what the writable layer of a small sandbox has.
    private static let inodes = 20_000

    /// - Parameter step: from the start of one block to the next; none for no holes.
    private static func write(_ bytes: Int, in directory: String, step: Int = 0) -> Outcome {
        let file = open("\(directory)/file", O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)
        guard file >= 0 else { return .notRun("open: \(Answer.text(errno))") }
        defer { close(file) }
        let block = [UInt8](repeating: 1, count: 64 << 10)
        for index in 0..<(bytes / block.count)
        where pwrite(file, block, block.count, index * max(step, block.count)) <= 0 {
            return .held("after \((index * block.count) >> 20) MiB: \(Answer.text(errno))")
        }
        return .through("\(bytes >> 20) MiB were written")
    }

    /// The flags that it has: on an overlay, setting those that an image's file has gives the copy the image's project.
    private static func flags(in directory: String) -> Outcome {
        let file = open("\(directory)/file", O_CREAT | O_RDONLY | O_CLOEXEC, 0o600)
        guard file >= 0 else { return .notRun("open: \(Answer.text(errno))") }
        defer { close(file) }
        return withMemory(8) { memory in
            // FS_IOC_GETFLAGS and FS_IOC_SETFLAGS (ioctl_iflags(2)).
            let asked = Answer(__NR_ioctl, Int(file), 0x8008_6601, memory)
            guard asked.code == 0 else { return .notRun("ioctl FS_IOC_GETFLAGS: \(Answer.text(asked.code))") }
            return Answer(__NR_ioctl, Int(file), 0x4008_6602, memory).outcome("ioctl FS_IOC_SETFLAGS")
        }
    }

    private static func makeFiles(_ wanted: Int, in directory: String) -> Outcome {
        for index in 0..<wanted {
            let file = open("\(directory)/\(index)", O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)
            guard file >= 0 else { return .held("after \(index) files: \(Answer.text(errno))") }
            close(file)
        }
        return .through("\(wanted) files were made")
    }
}

extension Surroundings {
    /// A quarter more than the limit.
    fileprivate var diskBomb: Int { diskBytes + diskBytes / 4 }
}
