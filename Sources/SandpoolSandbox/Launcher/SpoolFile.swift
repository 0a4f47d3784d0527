import Glibc
import LinuxSystem

enum SpoolFile {
    /// The start of what is in it.
    static func text(_ file: FileDescriptor) -> String {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = pread(file.raw, &buffer, buffer.count, 0)
        return String(decoding: buffer[..<max(0, count)], as: UTF8.self)
    }

    /// Since the last output, by the file's own clock.
    static func millisecondsSinceWrite(_ file: FileDescriptor) -> UInt64 {
        var state = stat()
        var now = timespec()
        guard fstat(file.raw, &state) == 0, clock_gettime(CLOCK_REALTIME, &now) == 0 else { return 0 }
        let elapsed =
            (now.tv_sec - state.st_mtim.tv_sec) * 1_000 + (now.tv_nsec - state.st_mtim.tv_nsec) / 1_000_000
        return UInt64(clamping: elapsed)
    }
}
