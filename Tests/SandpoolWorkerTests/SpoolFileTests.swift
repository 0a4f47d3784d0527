import LinuxSystem
import NIOCore
import SandpoolSandbox
import Testing

@testable import SandpoolWorker

@Suite struct SpoolFileTests {
    /// The spool of a further command goes round: what is over its end is at its begin.
    @Test func aReadGoesOverTheEndOfTheRing() throws {
        let ring = SpoolRing(backlogBytes: 4_096)
        let bytes = (0..<Int(ring.fileBytes)).map { UInt8(truncatingIfNeeded: $0 ^ ($0 >> 8)) }
        let spool = SpoolFile(file: try SealedFile.make(bytes, name: "spool"), ring: ring)
        for round in 0..<3 {
            let offset = Int64(ring.fileBytes) * Int64(round + 1) - 100
            let read = try spool.read(at: offset, count: 300)
            #expect(Array(buffer: read) == Array(bytes.suffix(100) + bytes.prefix(200)))
        }
    }

    @Test func aFileThatEndsIsReadToItsEnd() throws {
        let spool = SpoolFile(file: try SealedFile.make([1, 2, 3], name: "spool"))
        #expect(try Array(buffer: spool.read(at: 1, count: 9)) == [2, 3])
    }
}
