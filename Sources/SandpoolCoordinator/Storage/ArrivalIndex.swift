import Glibc
import NIOCore
import SandpoolModel

/// From `offset` on, up to the next one, a stream's bytes arrived at a moment.
struct Arrival: Hashable, Sendable {
    var offset: Int64
    var at: Timestamp
}

/// Notes when the bytes of a stream arrived, in a file beside its segment file: records of 16 bytes, an offset and
/// milliseconds since 1970, both little-endian.
///
/// At most one record for each frame, and none within an interval after the last, which begins at 10 ms and doubles
/// with every 4,096 records: so 1 MiB lasts for a month of steady output, and an error stays below a thousandth of
/// the time that the stream has lasted. Records are only appended. They are not synced: a crash of the host may
/// take the newest, and whatever then is no record of the stream is cut off when it is opened again.
struct ArrivalIndex: Sendable {
    static let recordBytes = 16
    /// Most records of a stream.
    static let limit = 65_536
    private static let firstIntervalMs: Int64 = 10
    private static let recordsPerInterval = 4_096

    private let file: PosixFile
    private var count: Int
    private var last: Arrival?

    /// Opens the index of a stream that ends at `end`.
    init(path: String, end: Int64) throws(FileError) {
        file = try PosixFile(path: path, flags: O_RDWR | O_CREAT)
        let records = try ArrivalRecords(file, end: end)
        count = records.count
        last = count > 0 ? try records.record(count - 1) : nil
        let length = off_t(count * Self.recordBytes)
        _ = try PosixFile.retry("ftruncate", path) { [file] in ftruncate(file.descriptor, length) }
    }

    /// Notes that what begins at `offset` has arrived, unless that is too soon after what was noted last. A record
    /// that the disk has no room for is left out.
    mutating func note(_ offset: Int64, at moment: Timestamp) {
        guard count < Self.limit else { return }
        // A clock that was set back must not make the order wrong.
        let moment = max(moment, last?.at ?? moment)
        let interval = Self.firstIntervalMs << (count / Self.recordsPerInterval)
        if let last, moment < last.at.advanced(by: .milliseconds(interval)) { return }
        var record = ByteBuffer()
        record.writeMultipleIntegers(offset, moment.milliseconds, endianness: .little)
        do { try file.write(record, at: Int64(count * Self.recordBytes)) } catch { return }
        count += 1
        last = Arrival(offset: offset, at: moment)
    }
}
