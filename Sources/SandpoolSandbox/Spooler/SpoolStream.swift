import CLinux
import Glibc
import LinuxSystem

/// One pipe on its way into one file, up to a limit.
final class SpoolStream {
    enum Progress {
        /// Nothing more to read now.
        case empty
        /// The pipe has ended.
        case ended
        /// The disk is full: reading stops, and the writer with it, until there is room.
        case full
        /// There may be more.
        case more
    }

    let pipe: FileDescriptor
    private let file: FileDescriptor
    private let limit: UInt64
    /// Bytes that can be read from the file, the mark included.
    private(set) var written: UInt64 = 0
    private(set) var truncated = false
    /// Bytes taken from the pipe, those that were dropped included.
    private(set) var taken: UInt64 = 0

    /// Bound on what one call moves, so that all streams get their turn.
    static let chunk = 1 << 20

    init(pipe: FileDescriptor, file: FileDescriptor, limit: UInt64) {
        self.pipe = pipe
        self.file = file
        self.limit = limit
    }

    /// Bytes still to take, once the command has ended.
    private var rest: UInt64?

    /// - Parameter most: bytes.
    func move(_ most: Int = chunk) -> Progress {
        guard let rest else { return truncated ? discard(most) : keep(most) }
        if rest == 0 { return .ended }
        let before = taken
        defer { self.rest = rest - min(rest, taken - before) }
        let most = Int(min(rest, UInt64(most)))
        return truncated ? discard(most) : keep(most)
    }

    /// From now on only what is in the pipe at this moment is taken. What comes after the command's end is not its own:
    /// the rest of its sandbox may have opened the pipe, and could keep it full for ever.
    func endHere() {
        var waiting: Int32 = 0
        guard rest == nil, ioctl(pipe.raw, UInt(FIONREAD), &waiting) == 0 else { return }
        rest = UInt64(max(0, waiting))
    }

    private func keep(_ most: Int) -> Progress {
        let room = limit - written
        if room == 0 { return truncateIfMore() }
        var offset = Int64(written)
        let flags: UInt32 = 0x2
        let count = CLinux_splice(pipe.raw, file.raw, &offset, Int(min(room, UInt64(most))), flags)
        if count > 0 {
            written += UInt64(count)
            taken += UInt64(count)
            return .more
        }
        if count == 0 { return .ended }
        switch errno {
        case EINTR: return .more
        case EAGAIN: return .empty
        default:
            touch()
            return .full
        }
    }

    /// The limit itself is no truncation; a byte beyond it is.
    private func truncateIfMore() -> Progress {
        var waiting: Int32 = 0
        guard ioctl(pipe.raw, UInt(FIONREAD), &waiting) == 0, waiting > 0 else {
            var byte: UInt8 = 0
            let count = read(pipe.raw, &byte, 1)
            if count == 0 { return .ended }
            if count < 0 { return .empty }
            return mark()
        }
        return mark()
    }

    private func mark() -> Progress {
        let text = Array("\n[sandpool: output truncated at \(limit) bytes]\n".utf8)
        let count = pwrite(file.raw, text, text.count, off_t(written))
        guard count == text.count else { return .full }
        written += UInt64(count)
        truncated = true
        return .more
    }

    private func discard(_ most: Int) -> Progress {
        var scratch = [UInt8](repeating: 0, count: min(most, 65_536))
        let count = read(pipe.raw, &scratch, scratch.count)
        if count == 0 { return .ended }
        if count < 0 { return errno == EAGAIN ? .empty : .more }
        taken += UInt64(count)
        touch()
        return .more
    }

    /// Output that is dropped, or waits for room, still counts against the idle timeout, which looks at the file's
    /// time.
    private func touch() { futimens(file.raw, nil) }
}
