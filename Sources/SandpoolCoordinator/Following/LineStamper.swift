import NIOCore
import SandpoolModel

/// Writes before each line of a stream when its first byte arrived: `2026-01-31T09:30:00.125Z ` and the line.
struct LineStamper: Sendable {
    private var isLineStart = true
    private var moment = Timestamp(milliseconds: 0)

    /// - Parameters:
    ///   - bytes: the next bytes of the stream, from `offset` on.
    ///   - arrivals: what is known of them, by offset; the first one begins at or before them.
    mutating func stamp(_ bytes: ByteBuffer, from offset: Int64, _ arrivals: [Arrival]) -> ByteBuffer {
        var stamped = ByteBuffer()
        var known = arrivals[...]
        var position = offset
        var rest = bytes.readableBytesView
        while !rest.isEmpty {
            while let next = known.dropFirst().first, next.offset <= position { known.removeFirst() }
            moment = known.first?.at ?? moment
            if isLineStart { stamped.writeString("\(moment) ") }
            let end = rest.firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? rest.endIndex
            isLineStart = rest[end - 1] == UInt8(ascii: "\n")
            stamped.writeBytes(rest[..<end])
            position += Int64(end - rest.startIndex)
            rest = rest[end...]
        }
        return stamped
    }
}
