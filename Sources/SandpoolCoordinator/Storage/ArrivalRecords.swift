import Glibc
import NIOCore
import SandpoolModel

/// The records of an `ArrivalIndex`, read from its file as they are asked for.
struct ArrivalRecords: Sendable {
    private let file: PosixFile
    private(set) var count: Int

    /// Records that are read at a time.
    private static let block = 256

    /// - Parameter end: where the stream ends. What a crash left behind the last record is left out.
    init(_ file: PosixFile, end: Int64) throws(FileError) {
        self.file = file
        count = min(Int(try file.size()) / ArrivalIndex.recordBytes, ArrivalIndex.limit)
        while count > 0 {
            let last = try record(count - 1)
            guard last.at.milliseconds <= 0 || !(0..<end).contains(last.offset) else { break }
            count -= 1
        }
    }

    func record(_ index: Int) throws(FileError) -> Arrival {
        try records(index..<(index + 1)).first ?? Arrival(offset: 0, at: Timestamp(milliseconds: 0))
    }

    /// The first record at or after a moment.
    func first(since moment: Timestamp) throws(FileError) -> Arrival? {
        let index = try firstIndex { $0.at >= moment }
        return index < count ? try record(index) : nil
    }

    /// What is known of the bytes from `offset` to before `end`; the first record may begin before them.
    func covering(_ offset: Int64, to end: Int64) throws(FileError) -> [Arrival] {
        var index = max(0, try firstIndex { $0.offset > offset } - 1)
        var found: [Arrival] = []
        while index < count {
            let block = try records(index..<min(count, index + Self.block))
            found += block.prefix { $0.offset < end }
            guard let last = block.last, last.offset < end else { break }
            index += block.count
        }
        return found
    }

    /// The first record for which `isBehind` holds, as it does for all after it.
    private func firstIndex(where isBehind: (Arrival) -> Bool) throws(FileError) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if isBehind(try record(middle)) { high = middle } else { low = middle + 1 }
        }
        return low
    }

    private func records(_ range: Range<Int>) throws(FileError) -> [Arrival] {
        let size = ArrivalIndex.recordBytes
        var bytes = try file.read(at: Int64(range.lowerBound * size), limit: range.count * size)
        var records: [Arrival] = []
        while let pair = bytes.readMultipleIntegers(endianness: .little, as: (Int64, Int64).self) {
            records.append(Arrival(offset: pair.0, at: Timestamp(milliseconds: pair.1)))
        }
        return records
    }
}
