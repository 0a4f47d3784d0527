import CLinux
import Glibc
import LinuxSystem
import NIOCore

/// What of a command's standard input is on its way into its pipe: a file in memory that the launcher holds too.
///
/// sendfile(2) without an offset of the caller's moves the file's own offset by what the pipe took. A kill comes before
/// that call or after it, and the launcher's descriptor is the same open file: so the next worker reads off to the byte
/// how much the command was given. With write(2) nobody could tell after a kill, and the command would see a piece
/// twice or the end too early.
struct InputFile {
    enum Passed: Hashable, Sendable {
        /// Everything that is here.
        case all
        /// What there was room for.
        case some
        /// The command reads no longer.
        case broken
    }

    /// Taken bytes whose memory is given back at once.
    private static let releaseBytes: Int64 = 256 << 10
    /// fcntl(2): how many bytes a pipe holds, which the command may change.
    private static let pipeSize: Int32 = 1_032
    /// What a pipe holds where nobody changed it (pipe(7)).
    private static let pipeBytes: Int64 = 64 << 10

    private let file: FileDescriptor
    /// Where the byte after the last one stands, and after the last one that the pipe took.
    private(set) var end: Int64
    private(set) var taken: Int64
    private var released: Int64 = 0

    init(_ file: FileDescriptor) throws(SystemError) {
        self.file = file
        var state = stat()
        try systemCall("fstat input") { fstat(file.raw, &state) }
        end = Int64(state.st_size)
        taken = Int64(try systemCall("lseek input") { lseek(file.raw, 0, SEEK_CUR) })
    }

    mutating func append(_ bytes: ByteBuffer) throws(SystemError) {
        try file.writeAll(Array(bytes.readableBytesView), at: Int(end))
        end += Int64(bytes.readableBytes)
    }

    /// Moves what the pipe takes, without waiting.
    mutating func pass(to pipe: FileDescriptor) -> Passed {
        while taken < end {
            let count = sendfile(pipe.raw, file.raw, nil, Int(end - taken))
            if count > 0 {
                taken += Int64(count)
            } else if count < 0, errno == EAGAIN {
                release(beside: pipe)
                return .some
            } else if count == 0 || errno != EINTR {
                return .broken
            }
        }
        release(beside: pipe)
        return .all
    }

    /// The pipe has pages of the file itself (sendfile(2)), the last ones taken: a hole in those would zero what the
    /// command has not read.
    private mutating func release(beside pipe: FileDescriptor) {
        guard taken - released >= Self.releaseBytes else { return }
        let page = Int64(sysconf(Int32(_SC_PAGESIZE)))
        let held = max(Self.pipeBytes, Int64(fcntl(pipe.raw, Self.pipeSize)))
        let first = (taken - held) / page * page
        // Memory that stays a little longer harms nobody.
        guard first - released >= Self.releaseBytes, (try? MemoryFile.release(file, first: first)) != nil else {
            return
        }
        released = first
    }
}
