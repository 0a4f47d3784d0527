import Hummingbird
import NIOCore
import SandpoolAPI
import SandpoolModel

/// One stream's bytes, bare or with the time before each line.
extension FollowerStream {
    /// Writes until the job's end, at most `limit` bytes of the stream itself.
    ///
    /// - Parameter stamper: what writes the times; `nil` for none.
    func writeRaw(
        to writer: inout any ResponseBodyWriter, job: JobID, limit: Int64, stamper: LineStamper?
    ) async throws {
        var left = limit
        var stamper = stamper
        while left > 0, let items = await follower.next() {
            for item in items where left > 0 {
                guard let (chunk, offset, arrivals) = try await output(of: item, job, isStamped: stamper != nil) else {
                    continue
                }
                let length = Int(min(left, Int64(chunk.readableBytes)))
                left -= Int64(length)
                guard let part = chunk.getSlice(at: chunk.readerIndex, length: length) else { continue }
                try await writer.write(stamper?.stamp(part, from: offset, arrivals) ?? part)
            }
        }
    }

    private func output(
        of item: Follower.Item, _ job: JobID, isStamped: Bool
    ) async throws -> (ByteBuffer, offset: Int64, [Arrival])? {
        switch item {
        case .output(_, let offset, let bytes, let moment):
            return (bytes, offset, [Arrival(offset: offset, at: moment)])
        case .catchUp(let id, let code, let offset, let end):
            let chunk = try await catchUp(job, id, code, offset: offset, end: end)
            guard isStamped, let attempt = try await parts.jobs.job(job).attempts.first(where: { $0.id == id }) else {
                return (chunk, offset, [])
            }
            let arrivals = try await OutputReader(store: parts.store, output: parts.output).arrivals(
                .init(job: job, attempt: id, code: code), of: attempt, from: offset,
                to: offset + Int64(chunk.readableBytes))
            return (chunk, offset, arrivals)
        case .failed(let error): throw error
        case .created, .state, .inputConsumed, .finished: return nil
        }
    }
}
