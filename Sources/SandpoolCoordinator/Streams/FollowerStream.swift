import Hummingbird
import NIOCore
import SandpoolAPI
import SandpoolModel

/// Writes what a follower gets as frames of the run stream.
struct FollowerStream: Sendable {
    let parts: CoordinatorParts
    let follower: Follower

    /// Brings the follower up to where a job stands. It must be in the hub already, so that nothing is missed.
    func attach(to job: Job) async throws {
        if let attempt = job.attempts.last {
            let reader = OutputReader(store: parts.store, output: parts.output)
            follower.join(
                attempt.id,
                stdout: try await reader.end(of: .init(job: job.id, attempt: attempt.id, code: .stdout)),
                stderr: try await reader.end(of: .init(job: job.id, attempt: attempt.id, code: .stderr)))
        }
        follower.publish(.state(job.state, note: nil))
        if job.state.isTerminal { follower.publish(.finished(job.id)) }
        follower.attached()
    }

    /// Writes until the job's end, or until the follower is closed.
    func write(to writer: inout any ResponseBodyWriter, job: () -> JobID?) async throws {
        while let items = await follower.next() {
            var bytes = ByteBuffer()
            do {
                for item in items { try await encode(item, job(), into: &bytes) }
            } catch {
                // What was encoded so far is whole; the client is told why nothing follows.
                parts.logger.error("a follower's stream failed: \(error)")
                try encode(.failed(APIError(any: error)), into: &bytes)
                follower.close()
            }
            if bytes.readableBytes > 0 { try await writer.write(bytes) }
        }
    }

    private func encode(_ item: Follower.Item, _ job: JobID?, into bytes: inout ByteBuffer) async throws {
        switch item {
        case .created(let id, let name):
            try encode(.created(id: id, name: name), into: &bytes)
        case .state(let state, let note, let attempt):
            try encode(.state(state, note: note, attempt: attempt), into: &bytes)
        case .inputConsumed(let offset):
            try encode(.inputConsumed(offset), into: &bytes)
        case .output(let code, let offset, let chunk, _):
            guard let job else { return }
            try encode(code, offset, chunk, of: job, into: &bytes)
        case .catchUp(let attempt, let code, let offset, let end):
            guard let job else { return }
            let chunk = try await catchUp(job, attempt, code, offset: offset, end: end)
            try encode(code, offset, chunk, of: job, into: &bytes)
        case .finished(let id):
            try encode(.finished(try await parts.jobs.job(id)), into: &bytes)
        case .failed(let error):
            try encode(.failed(error), into: &bytes)
        }
    }

    private func encode(
        _ code: OutputStreamCode, _ offset: Int64, _ chunk: ByteBuffer, of job: JobID, into bytes: inout ByteBuffer
    ) throws {
        var rest = chunk
        var position = offset
        while let part = rest.readSlice(length: min(rest.readableBytes, Frame.chunkBytes)), part.readableBytes > 0 {
            try Frame.output(OutputFrame(id: job.text, epoch: 0, stream: code, offset: position, bytes: part))
                .encode(into: &bytes)
            position += Int64(part.readableBytes)
        }
    }

    private func encode(_ event: RunEvent, into bytes: inout ByteBuffer) throws {
        try Frame.message(event).encode(into: &bytes)
    }

    /// Reads what was not queued for the follower from where it is stored.
    func catchUp(
        _ job: JobID, _ attempt: AttemptID, _ code: OutputStreamCode, offset: Int64, end: Int64
    ) async throws -> ByteBuffer {
        let stream = OutputStreamID(job: job, attempt: attempt, code: code)
        let wanted = Int(min(end - offset, Int64(Frame.chunkBytes)))
        let chunk = try await OutputReader(store: parts.store, output: parts.output)
            .read(stream, offset: offset, limit: wanted)
        guard chunk.readableBytes > 0 else {
            throw APIError(
                status: 500, code: "output_gone", message: "output of \(job) is missing from byte \(offset) on")
        }
        follower.caughtUp(code, to: offset + Int64(chunk.readableBytes))
        return chunk
    }
}
