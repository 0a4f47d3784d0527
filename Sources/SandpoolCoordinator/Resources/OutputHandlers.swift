import HTTPTypes
import Hummingbird
import NIOCore
import SandpoolAPI
import SandpoolModel

/// `/v1/jobs/REF/output/STREAM`: raw bytes by offset, of the job's last attempt.
struct OutputHandlers: Sendable {
    let parts: CoordinatorParts

    /// What of a stream a request asks for.
    private struct Wanted: Sendable {
        var offset: Int64
        var limit: Int64
        /// Only what arrived at this moment or after it.
        var since: Timestamp?
        var isFollowed: Bool
        var stamper: LineStamper?

        init(_ query: Query, now: Timestamp) throws {
            try query.check(known: ["offset", "limit", "follow", "since", "timestamps"])
            offset = try query.number("offset", in: 0...(.max / 2)) ?? 0
            limit = try query.number("limit", in: 0...(.max / 2)) ?? .max / 2
            isFollowed = try query.flag("follow")
            stamper = try query.flag("timestamps") ? LineStamper() : nil
            guard let text = query.values("since").last else { return }
            do { since = try MomentText.parse(text, now: now) } catch {
                throw Query.problem("since", error.message, hint: error.hint)
            }
        }
    }

    func read(_ reference: String, _ code: OutputStreamCode, _ info: RequestInfo) async throws -> Response {
        var wanted = try Wanted(info.query, now: parts.clock.now)
        let id = try await parts.jobs.resolve(reference)
        let hold = try parts.holds.hold(id)
        let attempt = try await parts.jobs.job(id).attempts.last
        let reader = OutputReader(store: parts.store, output: parts.output)
        if let since = wanted.since, let attempt {
            let stream = OutputStreamID(job: id, attempt: attempt.id, code: code)
            wanted.offset = max(wanted.offset, try await reader.offset(stream, of: attempt, since: since))
        }
        let body =
            if wanted.isFollowed {
                follow(id, hold, code, wanted, info)
            } else if let attempt {
                try await stored(id, hold, attempt, code, wanted, reader)
            } else {
                ResponseBody()
            }
        var headers: HTTPFields = [.contentType: "application/octet-stream"]
        if let name = HTTPField.Name(Routes.outputOffsetHeader) { headers[name] = String(wanted.offset) }
        return Response(status: .ok, headers: headers, body: info.isHead ? ResponseBody() : body)
    }

    /// The stream as far as it has come.
    private func stored(
        _ id: JobID, _ hold: JobHold, _ attempt: Attempt, _ code: OutputStreamCode, _ wanted: Wanted,
        _ reader: OutputReader
    ) async throws -> ResponseBody {
        let stream = OutputStreamID(job: id, attempt: attempt.id, code: code)
        let end = min(try await reader.end(of: stream), wanted.offset + wanted.limit)
        return ResponseBody { writer in
            defer { withExtendedLifetime(hold) {} }
            var position = wanted.offset
            var stamper = wanted.stamper
            while position < end {
                let limit = Int(min(end - position, Int64(Frame.chunkBytes)))
                let bytes = try await reader.read(stream, offset: position, limit: limit)
                guard bytes.readableBytes > 0 else { break }
                let next = position + Int64(bytes.readableBytes)
                if stamper != nil {
                    let arrivals = try await reader.arrivals(stream, of: attempt, from: position, to: next)
                    try await writer.write(stamper?.stamp(bytes, from: position, arrivals) ?? bytes)
                } else {
                    try await writer.write(bytes)
                }
                position = next
            }
            try await writer.finish(nil)
        }
    }

    /// The stream as it grows, to its end.
    private func follow(
        _ id: JobID, _ hold: JobHold, _ code: OutputStreamCode, _ wanted: Wanted, _ info: RequestInfo
    ) -> ResponseBody {
        let parts = parts
        return ResponseBody { writer in
            defer { withExtendedLifetime(hold) {} }
            let follower = Follower(
                stdout: code == .stdout ? wanted.offset : .max, stderr: code == .stderr ? wanted.offset : .max)
            parts.hub.add(follower, to: id)
            defer { parts.hub.remove(follower, from: id) }
            info.channel.closeFuture.whenComplete { _ in follower.close() }
            try await parts.streams.track(info.channel, of: info.principal, knownTo: parts.tokens) {
                let stream = FollowerStream(parts: parts, follower: follower)
                try await stream.attach(to: try await parts.jobs.job(id))
                try await stream.writeRaw(to: &writer, job: id, limit: wanted.limit, stamper: wanted.stamper)
            }
            try await writer.finish(nil)
        }
    }
}
