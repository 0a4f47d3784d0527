import Glibc
import SandpoolAPI
import SandpoolModel
import Testing

@testable import SandpoolWorker

@Suite struct JournalRecordTests {
    @Test func checksumIsTheOneOfRFC3720() {
        // RFC 3720 B.4: 32 bytes of zeros, of ones, and ascending.
        #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(CRC32C.checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(CRC32C.checksum([UInt8](0..<32)) == 0x46DD_794E)
    }

    @Test func recordsComeBackAsTheyWere() throws {
        let records: [JournalRecord] = [
            .result(Samples.result(1)), .settled(Samples.lease(2)), .result(Samples.result(3)),
        ]
        let bytes = try records.flatMap { try $0.encoded() }
        let replay = JournalRecord.replay(bytes)
        #expect(replay.records.map(\.record) == records)
        #expect(replay.validEnd == bytes.count)
        #expect(replay.skippedBytes == 0)
    }

    /// A crash can cut the file anywhere.
    @Test func anyTornTailLeavesTheWholeRecordsBeforeIt() throws {
        let first = try JournalRecord.result(Samples.result(1)).encoded()
        let second = try JournalRecord.result(Samples.result(2)).encoded()
        for cut in 0..<second.count {
            let replay = JournalRecord.replay(first + second.prefix(cut))
            #expect(replay.records.map(\.record) == [.result(Samples.result(1))])
            #expect(replay.validEnd == first.count)
            // Zeros at the end are what the file was grown by.
            let torn = second.prefix(cut).lastIndex { $0 != 0 }.map { $0 + 1 } ?? 0
            #expect(replay.skippedBytes == torn)
        }
    }

    /// A flipped bit costs the record that it is in and no other.
    @Test func anyDamagedByteCostsOneRecord() throws {
        let one = try JournalRecord.result(Samples.result(1)).encoded()
        let two = try JournalRecord.settled(Samples.lease(2)).encoded()
        let three = try JournalRecord.result(Samples.result(3)).encoded()
        for position in 0..<two.count {
            var damaged = two
            damaged[position] ^= 0x40
            let replay = JournalRecord.replay(one + damaged + three)
            let expected: [JournalRecord] = [.result(Samples.result(1)), .result(Samples.result(3))]
            #expect(replay.records.map(\.record) == expected, "byte \(position)")
            #expect(replay.skippedBytes == two.count)
        }
    }

    @Test func lengthsOutOfRangeAreNotFollowed() {
        for length in [0, 1, UInt32(JournalRecord.payloadLimit) + 1, .max] {
            var bytes = Array("SPJ1".utf8)
            withUnsafeBytes(of: length.littleEndian) { bytes.append(contentsOf: $0) }
            bytes += [0, 0, 0, 0, 1, 2, 3]
            #expect(JournalRecord.replay(bytes).records.isEmpty)
        }
    }
}

@Suite struct ResultJournalTests {
    private func append(_ journal: ResultJournal, _ result: AttemptResult) async -> WorkerError? {
        await withCheckedContinuation { continuation in journal.append(result) { continuation.resume(returning: $0) } }
    }

    @Test func pendingResultsComeBackInOrder() async throws {
        try await TemporaryDirectory.with { directory in
            let path = "\(directory)/journal"
            let (journal, pending, _) = try ResultJournal.open(path: path)
            #expect(pending.isEmpty)
            for number in 1...5 { #expect(await append(journal, Samples.result(number)) == nil) }
            journal.settle(Samples.lease(2))
            journal.settle(Samples.lease(4))
            journal.flush()
            let reopened = try ResultJournal.open(path: path)
            #expect(reopened.pending == [1, 3, 5].map(Samples.result))
        }
    }

    @Test func aTornTailIsCutOffBeforeMoreIsWritten() async throws {
        try await TemporaryDirectory.with { directory in
            let path = "\(directory)/journal"
            let (journal, _, _) = try ResultJournal.open(path: path)
            #expect(await append(journal, Samples.result(1)) == nil)
            #expect(await append(journal, Samples.result(2)) == nil)
            let written = try [1, 2].reduce(0) { try $0 + JournalRecord.result(Samples.result($1)).encoded().count }
            #expect(truncate(path, off_t(written - 3)) == 0)

            let (second, pending, skipped) = try ResultJournal.open(path: path)
            #expect(pending == [Samples.result(1)])
            #expect(skipped > 0)
            #expect(await append(second, Samples.result(3)) == nil)
            let third = try ResultJournal.open(path: path)
            #expect(third.pending == [1, 3].map(Samples.result))
            #expect(third.skippedBytes == 0)
        }
    }

    /// Settled results do not stay on disk for ever, and what is pending outlives the rewriting.
    @Test func theFileIsRewrittenWhenMostOfItIsSettled() async throws {
        try await TemporaryDirectory.with { directory in
            let path = "\(directory)/journal"
            let (journal, _, _) = try ResultJournal.open(path: path)
            #expect(await append(journal, Samples.result(0)) == nil)
            for number in 1...60 {
                #expect(await append(journal, Samples.result(number, tailBytes: 24_000)) == nil)
                journal.settle(Samples.lease(number))
            }
            journal.flush()
            var status = stat()
            #expect(stat(path, &status) == 0)
            #expect(Int(status.st_size) < JournalFile.compactionBytes + 100_000)
            #expect(try ResultJournal.open(path: path).pending == [Samples.result(0)])
        }
    }
}
