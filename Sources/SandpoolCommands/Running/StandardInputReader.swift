import Glibc
import LinuxSystem
import NIOPosix
import Sandpool

/// Reads this process's stdin in a thread of its own, where waiting holds up nothing else, and stops waiting
/// when its task is cancelled.
struct StandardInputReader {
    private let thread = NIOThreadPool(numberOfThreads: 1)
    /// Holds a byte after cancellation.
    private let wake: Pipe

    init() throws {
        wake = try Pipe()
        thread.start()
    }

    /// What is there, at most 64 KiB; nothing at the end and after cancellation.
    func read() async throws -> [UInt8] {
        try await withTaskCancellationHandler {
            try await thread.runIfActive { [wake] in try Self.read(orUntil: wake.readEnd.raw) }
        } onCancel: {
            try? Descriptor.write([0], to: wake.writeEnd.raw)
        }
    }

    private static func read(orUntil wake: Int32) throws -> [UInt8] {
        while true {
            var entries = [
                pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0),
                pollfd(fd: wake, events: Int16(POLLIN), revents: 0),
            ]
            guard poll(&entries, 2, -1) >= 0 || errno == EINTR else { break }
            if entries[1].revents != 0 { return [] }
            guard entries[0].revents != 0 else { continue }
            if let bytes = Descriptor.readOnce(STDIN_FILENO, limit: 64 << 10) { return bytes }
            guard errno == EINTR || errno == EAGAIN else { break }
        }
        throw SandpoolError(
            code: "input_failed", message: "cannot read stdin: \(String(cString: strerror(errno)))")
    }
}
