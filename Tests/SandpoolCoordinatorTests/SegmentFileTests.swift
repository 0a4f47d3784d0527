import Glibc
import NIOCore
import Testing

@testable import SandpoolCoordinator

/// A file of output whose sync failed.
@Suite struct SegmentFileTests {
    @Test func nothingIsWrittenSyncedOrCutOnceItFailed() throws {
        let directory = try TestDirectory()
        let file = try PosixFile(path: "\(directory.path)/segment", flags: O_RDWR | O_CREAT)
        let segment = SegmentFile(file)
        try segment.write(ByteBuffer(string: "durable, "), at: 0)
        try segment.sync([directory.path])
        try segment.write(ByteBuffer(string: "lost"), at: 9)
        #expect(!segment.isClosed)
        #expect(throws: FileError.self) { try segment.sync(["\(directory.path)/nowhere"]) }
        #expect(segment.isClosed)
        // The kernel would say that all is well now.
        #expect(throws: FileError.self) { try segment.sync([]) }
        #expect(throws: FileError.self) { try segment.write(ByteBuffer(string: "behind"), at: 13) }
        try segment.cut(to: 9)
        #expect(String(buffer: try file.read(at: 0, limit: 100)) == "durable, ")
        try segment.cut(to: 0)
        #expect(try file.size() == 9)
    }
}
