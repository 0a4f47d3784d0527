import HTTPTypes
import Hummingbird
import NIOCore
import SandpoolAPI
import SandpoolModel

/// `/v1/jobs/REF/output/STREAM`: raw bytes by offset, of the job's last attempt.
struct OutputHandlers: Sendable {
    let parts: CoordinatorParts

    func read(_ reference: String, _ code: OutputStreamCode, _ info: RequestInfo) async throws -> Response {
        try info.query.check(known: ["offset", "limit", "follow"])
        let offset = try info.query.number("offset", in: 0...(.max / 2)) ?? 0
        let limit = try info.query.number("limit", in: 0...(.max / 2)) ?? .max / 2
        let id = try await parts.jobs.resolve(reference)
        if try info.query.flag("follow") { return follow(id, code, offset: offset, limit: limit, info) }
        let headers: HTTPFields = [.contentType: "application/octet-stream"]
        guard let attempt = try await parts.jobs.job(id).attempts.last else {
            return Response(status: .ok, headers: headers, body: ResponseBody())
        }
        let stream = OutputStore.StreamID(job: id, attempt: attempt.id, code: code)
        let reader = OutputReader(store: parts.store, output: parts.output)
        let end = min(try await reader.end(of: stream), offset + limit)
        let body = ResponseBody { writer in
            var position = offset
            while position < end {
                let wanted = Int(min(end - position, Int64(Frame.chunkBytes)))
                let bytes = try await reader.read(stream, offset: position, limit: wanted)
                guard bytes.readableBytes > 0 else { break }
                try await writer.write(bytes)
                position += Int64(bytes.readableBytes)
            }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: headers, body: info.isHead ? ResponseBody() : body)
    }

    /// The stream as it grows, to its end.
    private func follow(
        _ id: JobID, _ code: OutputStreamCode, offset: Int64, limit: Int64, _ info: RequestInfo
    ) -> Response {
        let parts = parts
        let body = ResponseBody { writer in
            let follower = Follower(
                stdout: code == .stdout ? offset : .max, stderr: code == .stderr ? offset : .max)
            parts.hub.add(follower, to: id)
            defer { parts.hub.remove(follower, from: id) }
            info.channel.closeFuture.whenComplete { _ in follower.close() }
            try await parts.streams.track(info.channel, of: info.principal) {
                let stream = FollowerStream(parts: parts, follower: follower)
                try await stream.attach(to: try await parts.jobs.job(id))
                try await stream.writeRaw(to: &writer, job: id, limit: limit)
            }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: "application/octet-stream"], body: body)
    }
}
