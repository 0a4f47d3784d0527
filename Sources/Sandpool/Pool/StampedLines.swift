import NIOCore

/// Tells the times before a stream's lines from the stream's own bytes, so that a lost connection can be made again
/// at the byte where it stood.
struct StampedLines: Sendable {
    /// `2026-01-31T09:30:00.125Z ` has always the same length.
    private static let stampBytes = 25

    /// How much of the current line's time was received; the line itself follows it.
    private var received = 0
    /// How much of the next bytes repeats that.
    private var repeated = 0

    /// A new answer begins with a time again, also in the middle of a line.
    mutating func reopen() { repeated = received }

    /// Cuts off what was received before, and counts the stream's own bytes in the rest.
    mutating func take(_ bytes: inout ByteBuffer) -> Int64 {
        let known = min(repeated, bytes.readableBytes)
        bytes.moveReaderIndex(forwardBy: known)
        repeated -= known
        var rest = bytes.readableBytesView
        var own: Int64 = 0
        while !rest.isEmpty {
            let stamp = min(Self.stampBytes - received, rest.count)
            received += stamp
            rest = rest.dropFirst(stamp)
            guard !rest.isEmpty else { break }
            let newline = rest.firstIndex(of: UInt8(ascii: "\n"))
            let line = newline.map { $0 + 1 - rest.startIndex } ?? rest.count
            own += Int64(line)
            rest = rest.dropFirst(line)
            if newline != nil { received = 0 }
        }
        return own
    }
}
