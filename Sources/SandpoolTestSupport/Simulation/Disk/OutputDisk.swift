import SandpoolAPI
import SandpoolModel

/// The coordinator's files of output: what `OutputStore` does to its disk, with pieces in place of bytes.
struct OutputDisk {
    struct Stream: Hashable {
        var attempt: AttemptID
        var code: OutputStreamCode
    }

    enum Appended { case stored, repeated, gap(end: Int64) }

    private struct Segment {
        var pieces: [OutputPiece] = []
        var end: Int64 = 0
        var durable: Int64 = 0
    }

    private var segments: [Stream: Segment] = [:]
    /// In the order in which they became so.
    private(set) var dirty: [Stream] = []

    func end(_ stream: Stream) -> Int64 { segments[stream]?.end ?? 0 }
    func durableEnd(_ stream: Stream) -> Int64 { segments[stream]?.durable ?? 0 }

    mutating func append(_ piece: OutputPiece) -> Appended {
        let stream = Stream(attempt: piece.attempt, code: piece.stream)
        var segment = segments[stream] ?? Segment()
        guard piece.offset <= segment.end else { return .gap(end: segment.end) }
        guard piece.offset + piece.count > segment.end else { return .repeated }
        var fresh = piece
        let known = segment.end - piece.offset
        fresh.offset += known
        fresh.count -= known
        fresh.source.offset += known
        segment.pieces.append(fresh)
        segment.end += fresh.count
        segments[stream] = segment
        if !dirty.contains(stream) { dirty.append(stream) }
        return .stored
    }

    /// Begins to make a stream durable; what is appended from here on is not covered.
    mutating func beginSync(_ stream: Stream) -> Int64 {
        dirty.removeAll { $0 == stream }
        return end(stream)
    }

    mutating func endSync(_ stream: Stream, at end: Int64) {
        let durable = max(durableEnd(stream), min(end, self.end(stream)))
        segments[stream]?.durable = durable
    }

    /// A sync that failed: what was not durable is cut off again.
    mutating func discard(_ stream: Stream) { cut(stream, to: durableEnd(stream)) }

    /// A process that starts takes what is there and syncs it (`OutputStore.segment(of:)`).
    mutating func open() {
        segments = segments.mapValues { segment in
            var segment = segment
            segment.durable = segment.end
            return segment
        }
        dirty = []
    }

    /// The host goes down: of what was not synced a part is there, from the front.
    mutating func crash(_ chance: inout Chance) -> Bool {
        var isTorn = false
        for stream in segments.keys.sorted(by: { ($0.attempt, $0.code.rawValue) < ($1.attempt, $1.code.rawValue) }) {
            let (durable, end) = (durableEnd(stream), end(stream))
            let kept = chance.number(durable...end)
            if kept < end { isTorn = true }
            cut(stream, to: kept)
        }
        dirty = []
        return isTorn
    }

    /// Where the first wrong or missing byte of a stream is, up to `end`; `nil` where all are right.
    func firstWrong(_ stream: Stream, to end: Int64) -> Int64? {
        var position: Int64 = 0
        for piece in segments[stream]?.pieces ?? [] where position < end {
            let expected = OutputPiece.Source(sandbox: stream.attempt, stream: stream.code, offset: position)
            guard piece.offset == position, piece.source == expected else { return position }
            position += piece.count
        }
        return position < end ? position : nil
    }

    private mutating func cut(_ stream: Stream, to end: Int64) {
        guard var segment = segments[stream] else { return }
        while let last = segment.pieces.last, last.offset + last.count > end {
            segment.pieces.removeLast()
            guard last.offset < end else { continue }
            var part = last
            part.count = end - last.offset
            segment.pieces.append(part)
        }
        segment.end = min(segment.end, end)
        segment.durable = min(segment.durable, end)
        segments[stream] = segment
    }
}
