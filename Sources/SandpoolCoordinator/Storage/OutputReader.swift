import NIOCore
import SandpoolAPI
import SandpoolModel
import SandpoolStore

/// Reads an attempt's output by offset, wherever it is kept: segment files first, then what its result carried.
struct OutputReader: Sendable {
    let store: any JobStore
    let output: OutputStore

    /// At most `limit` bytes from `offset` on; empty at the end of what there is.
    func read(_ stream: OutputStore.StreamID, offset: Int64, limit: Int) async throws -> ByteBuffer {
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
    func end(of stream: OutputStore.StreamID) async throws -> Int64 {
        var end = try await output.end(of: stream)
        for tail in try await store.output(of: stream.attempt)?.tails ?? [] where tail.stream == stream.code.stream {
            end = max(end, tail.offset + Int64(tail.bytes.count))
        }
        return end
    }
}

extension OutputStreamCode {
    var stream: OutputStream { self == .stdout ? .stdout : .stderr }
}
