/// Reads one HTTP/1.1 answer with a chunked body (RFC 9112, section 7.1) out of bytes that arrive in pieces.
struct ChunkedAnswer {
    /// The bytes are no such answer, or one beyond the bounds here.
    struct Unreadable: Error {}

    private enum Part {
        case head
        case size
        /// Bytes of a chunk, and how many are to come.
        case data(Int)
        case dataEnd
        case ended
    }

    private var part = Part.head
    private var pending: [UInt8] = []
    /// Of the answer's head, once it is there.
    private(set) var status: Int?

    private static let headLimit = 64 << 10
    private static let sizeLineLimit = 64
    private static let chunkLimit = 64 << 20

    /// Whether the last chunk was read, or the head of an answer other than 200.
    var hasEnded: Bool {
        if case .ended = part { return true }
        return false
    }

    /// Takes what arrived and returns what of it is body.
    mutating func take(_ bytes: some Collection<UInt8>) throws(Unreadable) -> [UInt8] {
        pending.append(contentsOf: bytes)
        var body: [UInt8] = []
        var position = 0
        defer { pending.removeFirst(position) }
        while true {
            switch part {
            case .head:
                guard let line = try line(from: &position, limit: Self.headLimit) else { return body }
                if status == nil {
                    status = try Self.status(of: line)
                } else if line.isEmpty {
                    // Any other answer says why in a body that need not be chunked.
                    part = status == 200 ? .size : .ended
                }
            case .size:
                guard let line = try line(from: &position, limit: Self.sizeLineLimit) else { return body }
                let digits = line.prefix { $0 != UInt8(ascii: ";") }
                guard let size = Int(String(decoding: digits, as: UTF8.self), radix: 16),
                    (0...Self.chunkLimit).contains(size)
                else { throw Unreadable() }
                part = size == 0 ? .ended : .data(size)
            case .data(let size):
                let count = min(size, pending.count - position)
                guard count > 0 else { return body }
                body.append(contentsOf: pending[position..<position + count])
                position += count
                part = count == size ? .dataEnd : .data(size - count)
            case .dataEnd:
                guard let line = try line(from: &position, limit: Self.sizeLineLimit) else { return body }
                guard line.isEmpty else { throw Unreadable() }
                part = .size
            case .ended:
                return body
            }
        }
    }

    /// The next line without its end, where it is whole.
    private func line(from position: inout Int, limit: Int) throws(Unreadable) -> ArraySlice<UInt8>? {
        guard let end = pending[position...].firstIndex(of: UInt8(ascii: "\n")) else {
            if pending.count - position > limit { throw Unreadable() }
            return nil
        }
        let line = pending[position..<end]
        position = end + 1
        return line.last == UInt8(ascii: "\r") ? line.dropLast() : line
    }

    private static func status(of line: ArraySlice<UInt8>) throws(Unreadable) -> Int {
        let words = line.split(separator: UInt8(ascii: " "), maxSplits: 2)
        guard words.count >= 2, words[0].elementsEqual("HTTP/1.1".utf8),
            let code = Int(String(decoding: words[1], as: UTF8.self)), (100...599).contains(code)
        else { throw Unreadable() }
        return code
    }
}
