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
        /// As much as may wait for the reader does: reading stops, and the writer with it, until he is further.
        case behind
        /// There may be more.
        case more
    }

    let pipe: FileDescriptor
    private let file: FileDescriptor
    private let limit: UInt64
    private let ring: SpoolRing?
    /// Bytes that can be read from the file, the mark included.
    private(set) var written: UInt64 = 0
    private(set) var truncated = false
    /// Whether a byte beyond the limit was taken. It is gone, and only the mark tells of it, which may have to wait.
    private var isOver = false
    /// Bytes taken from the pipe, those that were dropped included.
    private(set) var taken: UInt64 = 0
    /// Bytes that the reader is done with.
    private var consumed: UInt64 = 0

    /// Bound on what one call moves, so that all streams get their turn.
    static let chunk = 1 << 20

    init(pipe: FileDescriptor, file: FileDescriptor, limit: UInt64, ring: SpoolRing?) {
        self.pipe = pipe
        self.file = file
        self.limit = limit
        self.ring = ring
    }

    /// Bytes still to take, once the command has ended.
    private var rest: UInt64?

    /// - Parameter most: bytes.
    func move(_ most: Int = chunk) -> Progress {
        guard let rest else { return truncated ? discard(most) : keep(most) }
        if rest == 0 { return isOver && !truncated ? mark() : .ended }
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

    /// Notes how far the reader is. More than there is counts as all of it, and he never goes back.
    func noteRead(_ bytes: UInt64) { consumed = max(consumed, min(bytes, written)) }

    /// Whether so much of its place is free that going on is worth it.
    var hasRoom: Bool { ring.map { space >= min($0.backlogBytes / 2, UInt64(Self.chunk)) } ?? true }

    /// Bytes that can be written before the reader is further. All of the file, once the command has ended.
    private var space: UInt64 {
        guard let ring else { return .max }
        let most = rest == nil ? ring.backlogBytes : ring.fileBytes
        return most - min(most, written - consumed)
    }

    private func keep(_ most: Int) -> Progress {
        let room = limit - written
        if room == 0 { return truncateIfMore() }
        let space = space
        if space == 0 { return stop() }
        let place = ring?.place(of: written) ?? (written, .max)
        var offset = Int64(place.position)
        let flags: UInt32 = 0x2
        let length = min(room, space, place.count, UInt64(most))
        let count = CLinux_splice(pipe.raw, file.raw, &offset, Int(length), flags)
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

    /// After the command's end there is nobody to hold up.
    private func stop() -> Progress { rest == nil ? .behind : .full }

    /// The limit itself is no truncation; a byte beyond it is.
    private func truncateIfMore() -> Progress {
        if isOver { return mark() }
        var byte: UInt8 = 0
        let count = read(pipe.raw, &byte, 1)
        if count == 0 { return .ended }
        if count < 0 { return errno == EINTR ? .more : .empty }
        taken += 1
        isOver = true
        return mark()
    }

    private func mark() -> Progress {
        let text = Array("\n[sandpool: output truncated at \(limit) bytes]\n".utf8)
        guard space >= UInt64(text.count) else { return stop() }
        var done = 0
        while done < text.count {
            let place = ring?.place(of: written + UInt64(done)) ?? (written + UInt64(done), .max)
            let length = Int(min(UInt64(text.count - done), place.count))
            let count = text.withUnsafeBytes { bytes in
                bytes.baseAddress.map { pwrite(file.raw, $0 + done, length, off_t(place.position)) } ?? -1
            }
            guard count > 0 else { return .full }
            done += count
        }
        written += UInt64(done)
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
