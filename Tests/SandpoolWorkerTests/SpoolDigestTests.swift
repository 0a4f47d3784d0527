import LinuxSystem
import NIOCore
import SandpoolModel
import SandpoolSandbox
import Testing

@testable import SandpoolWorker

/// The digest of a stream, in whatever order its bytes are read.
@Suite struct SpoolDigestTests {
    private static let nine = "sha256:19cc02f26df43cc571bc9ed7b0c4d29224a3ec229529221725ef76d021c8326f"
    private static let xes = "sha256:e55b8bdf621ddaa8f462c74745db9680d3bb7536a9cf854f8d6668b34a287890"

    private func spool(_ bytes: [UInt8]) throws -> SpoolFile {
        SpoolFile(file: try SealedFile.make(bytes, name: "spool"))
    }

    private func note(_ digest: SpoolDigest, _ text: String, at offset: Int64) {
        digest.note(ByteBuffer(string: text), at: offset)
    }

    @Test func whatWasReadInOrderIsNotReadAgain() throws {
        let digest = SpoolDigest()
        note(digest, "abcd", at: 0)
        note(digest, "efghi", at: 4)
        #expect(digest.bytes == 9)
        #expect(try digest.whole(9, in: spool([])) == Self.nine)
        #expect(try digest.whole(9, in: spool([])) == Self.nine, "asked for twice, as after a refused journal")
    }

    @Test func repeatsAndHolesChangeNothing() throws {
        let digest = SpoolDigest()
        note(digest, "efghi", at: 4)
        #expect(digest.bytes == 0, "an earlier process of the worker sent what is before it")
        note(digest, "abcdef", at: 0)
        note(digest, "cdef", at: 2)
        note(digest, "", at: 6)
        note(digest, "defgh", at: 3)
        #expect(digest.bytes == 8)
        #expect(try digest.whole(9, in: spool(Array("abcdefghi".utf8))) == Self.nine)
    }

    @Test func whatIsMissingIsReadFromTheSpool() throws {
        let bytes = [UInt8](repeating: UInt8(ascii: "x"), count: 3_000_000)
        let digest = SpoolDigest()
        digest.note(ByteBuffer(bytes: bytes[..<1_000]), at: 0)
        #expect(try digest.whole(3_000_000, in: spool(bytes)) == Self.xes)
        #expect(try SpoolDigest().whole(3_000_000, in: spool(bytes)) == Self.xes)
    }

    @Test func aSpoolOfAnotherLengthHasNoDigest() throws {
        #expect(try SpoolDigest().whole(10, in: spool(Array("abcdefghi".utf8))) == nil)
        let digest = SpoolDigest()
        note(digest, "abcdefghi", at: 0)
        #expect(try digest.whole(8, in: spool([])) == nil)
    }

    @Test func theEvidenceNamesStreamsThatHaveBytes() throws {
        var files = AttemptFiles()
        var evidence = Evidence()
        (evidence.stdoutBytes, evidence.stderrBytes) = (9, 0)
        #expect(DigestWork(files, evidence) == nil, "there are no spools")
        files.stdout = try spool(Array("abcdefghi".utf8))
        files.stderr = try spool([])
        let work = try #require(DigestWork(files, evidence))
        #expect(!work.isLong)
        work.fill(&evidence)
        #expect(evidence.stdoutDigest == Self.nine && evidence.stderrDigest == nil)
        evidence.stdoutBytes = DigestWork.shortBytes + 10
        let long = try #require(DigestWork(files, evidence))
        #expect(long.isLong, "9 bytes are known, and one more than a short read is missing")
        long.fill(&evidence)
        #expect(evidence.stdoutDigest == nil, "the spool is shorter than it was said to be")
    }

    @Test func aTailCountsAsRead() throws {
        var files = AttemptFiles()
        files.stdout = try spool(Array("abcdefghi".utf8))
        note(files.stdoutDigest, "abc", at: 0)
        #expect(try files.tail(.stdout, 3..<9)?.bytes == ByteBuffer(string: "defghi"))
        #expect(files.stdoutDigest.bytes == 9)
    }
}
