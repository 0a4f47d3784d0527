import SandpoolAPI
import SandpoolModel

/// One entry of the result journal, and its form on disk.
///
/// On disk: the mark `SPJ1`, payload length (4 bytes, little-endian), CRC-32C of the payload (4 bytes), payload.
/// The payload's first byte is the kind, the rest is JSON. The mark lets replay find the next record behind a
/// damaged one.
enum JournalRecord: Hashable, Sendable {
    /// An attempt ended so.
    case result(AttemptResult)
    /// The coordinator has taken the result, or does not want it: nothing has to be kept any more.
    case settled(AttemptLease)

    private static let mark: [UInt8] = Array("SPJ1".utf8)
    static let headerBytes = 12
    /// Bound on one payload; two inline tails in base 64 are under 100 KB.
    static let payloadLimit = 1 << 20

    private enum Kind: UInt8 { case result = 1, settled = 2 }

    /// - Throws: `EncodingError` for what JSON cannot hold, `WorkerError` for a record that is too long.
    func encoded() throws -> [UInt8] {
        let (kind, json) =
            switch self {
            case .result(let result): (Kind.result, try WireJSON.encode(result))
            case .settled(let lease): (Kind.settled, try WireJSON.encode(lease))
            }
        let payload = [kind.rawValue] + json.readableBytesView
        guard payload.count <= Self.payloadLimit else {
            throw WorkerError("a result of \(payload.count) bytes does not fit into the journal")
        }
        var bytes = Self.mark
        bytes.reserveCapacity(Self.headerBytes + payload.count)
        for number in [UInt32(payload.count), CRC32C.checksum(payload)] {
            withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
        }
        return bytes + payload
    }

    /// What replay found in a journal's bytes.
    struct Replay: Sendable {
        var records: [(record: JournalRecord, bytes: Int)] = []
        /// Bytes that belong to no whole record: a torn tail, or damage.
        var skippedBytes = 0
        /// Where the last whole record ends; what is behind it is cut off before the journal is written again.
        var validEnd = 0
    }

    /// Reads every whole record, whatever lies between them. The zeros that the file was grown by are no damage:
    /// a record ends with a brace.
    static func replay(_ bytes: [UInt8]) -> Replay {
        var replay = Replay()
        var position = 0
        let end = (bytes.lastIndex { $0 != 0 } ?? -1) + 1
        while position < end {
            if let (record, end) = decode(bytes, at: position) {
                replay.records.append((record, end - position))
                replay.validEnd = end
                position = end
            } else {
                replay.skippedBytes += 1
                position += 1
            }
        }
        return replay
    }

    private static func decode(_ bytes: [UInt8], at start: Int) -> (JournalRecord, end: Int)? {
        guard bytes.count - start > headerBytes, bytes[start..<start + 4].elementsEqual(mark) else { return nil }
        func number(at offset: Int) -> UInt32 {
            (0..<4).reduce(0) { $0 | UInt32(bytes[start + offset + $1]) << UInt32(8 * $1) }
        }
        let length = Int(number(at: 4))
        let payloadStart = start + headerBytes
        guard (1...payloadLimit).contains(length), length <= bytes.count - payloadStart else { return nil }
        let payload = bytes[payloadStart..<payloadStart + length]
        guard CRC32C.checksum(payload) == number(at: 8), let kind = Kind(rawValue: payload[payloadStart]) else {
            return nil
        }
        let json = payload.dropFirst()
        let record: JournalRecord? =
            switch kind {
            case .result: (try? WireJSON.decode(AttemptResult.self, from: json)).map { .result($0) }
            case .settled: (try? WireJSON.decode(AttemptLease.self, from: json)).map { .settled($0) }
            }
        return record.map { ($0, payloadStart + length) }
    }
}
