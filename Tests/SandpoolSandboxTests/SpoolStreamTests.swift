import Glibc
import LinuxSystem
import Testing

@testable import SandpoolSandbox

/// A stream that goes on beyond its limit while its reader is behind, so that there is no room for the mark.
@Suite struct SpoolStreamTests {
    private static let limit: UInt64 = 4_096
    private static let mark = Array("\n[sandpool: output truncated at 4096 bytes]\n".utf8)

    private let pipe: Pipe
    private let file: FileDescriptor
    private let stream: SpoolStream

    init() throws {
        pipe = try Pipe()
        try pipe.readEnd.setNonBlocking()
        var name = Array("/tmp/sandpool-stream-XXXXXX".utf8CString)
        file = FileDescriptor(owning: try systemCall("mkstemp") { mkstemp(&name) })
        unlink(name)
        stream = SpoolStream(
            pipe: pipe.readEnd, file: file, limit: Self.limit, ring: SpoolRing(backlogBytes: Self.limit))
    }

    /// How it stops.
    private func move() -> SpoolStream.Progress {
        while true {
            let progress = stream.move()
            if progress != .more { return progress }
        }
    }

    private func expectMark() {
        #expect(stream.truncated && stream.written == Self.limit + UInt64(Self.mark.count))
        var bytes = [UInt8](repeating: 0, count: Self.mark.count + 1)
        #expect(pread(file.raw, &bytes, bytes.count, off_t(Self.limit)) == Self.mark.count)
        #expect(bytes.dropLast() == Self.mark[...])
    }

    /// The one byte that tells of more has been taken.
    @Test func itsMarkIsWrittenWhenTheReaderIsFurther() throws {
        try pipe.writeEnd.writeAll([UInt8](repeating: 65, count: Int(Self.limit) + 1))
        #expect(move() == .behind)
        #expect(move() == .behind)
        #expect(!stream.truncated && stream.written == Self.limit && stream.taken == Self.limit + 1)
        stream.noteRead(Self.limit)
        #expect(move() == .empty)
        expectMark()
    }

    @Test func itsMarkIsWrittenAtTheEndWithoutAReader() throws {
        try pipe.writeEnd.writeAll([UInt8](repeating: 65, count: Int(Self.limit) + 1))
        #expect(move() == .behind)
        stream.endHere()
        #expect(move() == .ended)
        expectMark()
    }

    @Test func whatFitsHasNone() throws {
        try pipe.writeEnd.writeAll([UInt8](repeating: 65, count: Int(Self.limit)))
        #expect(move() == .empty)
        stream.endHere()
        #expect(move() == .ended)
        #expect(!stream.truncated && stream.written == Self.limit && stream.taken == Self.limit)
    }
}
