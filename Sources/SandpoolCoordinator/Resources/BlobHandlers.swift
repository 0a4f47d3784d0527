import HTTPTypes
import Hummingbird
import NIOCore
import SandpoolAPI
import SandpoolModel

/// `/v1/blobs`, and the same for workers.
struct BlobHandlers: Sendable {
    let blobs: BlobStore

    func store(_ request: Request, isWorker: Bool) async throws -> Response {
        let announced = request.headers[.contentLength].flatMap(Int64.init)
        let info = try await blobs.store(request.body, announced: announced, beginsWork: !isWorker)
        return try .json(info, status: .created)
    }

    func read(_ digest: String, _ info: RequestInfo) async throws -> Response {
        guard let (file, bytes) = try await blobs.open(digest) else {
            throw APIError.notFound("blob \(TerminalText.harmless(digest, limit: 80))")
        }
        let headers: HTTPFields = [
            .contentType: "application/octet-stream", .contentLength: String(bytes),
        ]
        if info.isHead { return Response(status: .ok, headers: headers) }
        let blobs = blobs
        let body = ResponseBody(contentLength: Int(bytes)) { writer in
            var offset: Int64 = 0
            while offset < bytes {
                let chunk = try await blobs.read(file, at: offset)
                guard chunk.readableBytes > 0 else { break }
                try await writer.write(chunk)
                offset += Int64(chunk.readableBytes)
            }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: headers, body: body)
    }
}
