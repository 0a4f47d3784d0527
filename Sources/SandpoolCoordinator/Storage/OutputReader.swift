import NIOCore
import SandpoolAPI
import SandpoolModel
import SandpoolStore

/// Reads an attempt's output by offset, wherever it is kept: segment files first, then what its result carried.
struct OutputReader: Sendable {
    let store: any JobStore
    let output: OutputStore

    /// At most `limit` bytes from `offset` on; empty at the end of what there is.
    func read(_ stream: OutputStreamID, offset: Int64, limit: Int) async throws -> ByteBuffer {
        let stored = try await output.read(stream, offset: offset, limit: limit)
        if stored.readableBytes > 0 { return stored }
        guard let known = try await store.output(of: stream.attempt) else { return ByteBuffer() }
        for tail in known.tails where tail.stream == stream.code.stream {
            let skipped = offset - tail.offset
            guard skipped >= 0, skipped < Int64(tail.bytes.count) else { continue }
            return ByteBuffer(bytes: tail.bytes[Int(skipped)...].prefix(limit))
        }
        return ByteBuffer()
    }

    /// Where a stream ends as of now.
    func end(of stream: OutputStreamID) async throws -> Int64 {
        var end = try await output.end(of: stream)
        for tail in try await store.output(of: stream.attempt)?.tails ?? [] where tail.stream == stream.code.stream {
            end = max(end, tail.offset + Int64(tail.bytes.count))
        }
        return end
    }

    /// When the bytes from `offset` to before `end` arrived, by offset; the first one begins at or before them. What
    /// came inside the attempt's result counts from its end, and what nobody noted from its begin.
    func arrivals(
        _ stream: OutputStreamID, of attempt: Attempt, from offset: Int64, to end: Int64
    ) async throws -> [Arrival] {
        var known = try await output.arrivals(of: stream, from: offset, to: end)
        if known.first.map({ $0.offset > offset }) ?? true { known.insert(attempt.begin, at: 0) }
        if end > (try await output.end(of: stream)), let tail = try await tail(stream), tail.offset < end {
            known.append(Arrival(offset: tail.offset, at: attempt.finishedAt ?? attempt.begin.at))
        }
        return known
    }

    /// Where that begins which arrived at or after a moment: the end, where nothing has.
    func offset(_ stream: OutputStreamID, of attempt: Attempt, since moment: Timestamp) async throws -> Int64 {
        if attempt.begin.at >= moment { return 0 }
        if let arrival = try await output.firstArrival(of: stream, since: moment) { return arrival.offset }
        guard let finishedAt = attempt.finishedAt, finishedAt >= moment else { return try await end(of: stream) }
        // Of output without an index nobody knows when it came: none of it is hidden.
        if try await output.firstArrival(of: stream, since: Timestamp(milliseconds: 0)) == nil { return 0 }
        if let tail = try await tail(stream) { return tail.offset }
        return try await end(of: stream)
    }

    /// What came of a stream inside its attempt's result.
    private func tail(_ stream: OutputStreamID) async throws -> InlineOutput? {
        try await store.output(of: stream.attempt)?.tails.first { $0.stream == stream.code.stream }
    }
}

extension Attempt {
    fileprivate var begin: Arrival { Arrival(offset: 0, at: startedAt ?? createdAt) }
}

extension OutputStreamCode {
    var stream: OutputStream { self == .stdout ? .stdout : .stderr }
}
