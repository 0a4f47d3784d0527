import Glibc
import LinuxSystem
import Testing

@testable import SandpoolWorker

@Suite struct AttemptRecordsTests {
    private func record(_ number: Int, layers: [String] = []) -> AttemptRecord {
        AttemptRecord(Samples.assignment(number), bootID: "boot", usesHostImage: true, layers: layers)
    }

    /// What another process finds in the directory.
    private func found(in directory: String) throws -> Set<AttemptRecord> {
        Set(try AttemptRecords(directory: directory).load())
    }

    @Test func anotherProcessFindsWhatWasNotRemoved() async throws {
        try await TemporaryDirectory.with { directory in
            let records = AttemptRecords(directory: directory)
            for number in 1...5 { try records.save(record(number)) }
            records.remove(Samples.attempt(2))
            records.remove(Samples.attempt(4))
            #expect(try found(in: directory) == [record(1), record(3), record(5)])

            let next = AttemptRecords(directory: directory)
            _ = try next.load()
            try next.save(record(6))
            next.remove(Samples.attempt(1))
            #expect(try found(in: directory) == [record(3), record(5), record(6)])
        }
    }

    @Test func filesAreWrittenOverAndTheirOldContentIsNoRecord() async throws {
        try await TemporaryDirectory.with { directory in
            let records = AttemptRecords(directory: directory)
            for number in 1...500 {
                try records.save(record(number, layers: number % 2 == 0 ? [] : ["a-layer", "another-layer"]))
                #expect(try found(in: directory).map(\.lease) == [Samples.lease(number)])
                records.remove(Samples.attempt(number))
            }
            #expect(try DirectoryListing.names(in: directory).count == 1)
            #expect(try found(in: directory).isEmpty)
        }
    }

    @Test func sparesAreFewAndSmall() async throws {
        try await TemporaryDirectory.with { directory in
            let records = AttemptRecords(directory: directory)
            let long = Array(repeating: String(repeating: "l", count: 64), count: 1_000)
            for number in 1...200 { try records.save(record(number, layers: number == 1 ? long : [])) }
            for number in 1...200 { records.remove(Samples.attempt(number)) }
            let names = try DirectoryListing.names(in: directory)
            #expect(names.count == 64)
            #expect(!names.contains("0"))
        }
    }

    /// A process can die at any byte of a write; what it wrote is no record then, and hinders nobody.
    @Test func aTornWriteIsNoRecord() async throws {
        try await TemporaryDirectory.with { directory in
            try AttemptRecords(directory: directory).save(record(1))
            let whole = try FileDescriptor.open("\(directory)/0", O_RDONLY).readAll(limit: 65_536)
            for cut in 0..<(whole.count - 1) {
                let file = try FileDescriptor.open("\(directory)/0", O_WRONLY | O_TRUNC)
                try file.writeAll(Array(whole.prefix(cut)))
                let next = AttemptRecords(directory: directory)
                #expect(try next.load().isEmpty)
                try next.save(record(2))
                #expect(try found(in: directory) == [record(2)])
            }
        }
    }
}
