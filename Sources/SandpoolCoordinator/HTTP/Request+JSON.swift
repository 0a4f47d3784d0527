import Hummingbird
import NIOCore
import SandpoolAPI

extension Request {
    /// Most bytes of a JSON body.
    static let bodyLimit = Routes.bodyLimit

    /// The whole body, bounded before it is received where its length is announced.
    func wholeBody() async throws -> ByteBuffer {
        if let announced = headers[.contentLength].flatMap(Int64.init), announced > Self.bodyLimit {
            throw APIError.tooLarge("the body", limit: Int64(Self.bodyLimit))
        }
        var whole = ByteBuffer()
        for try await bytes in body {
            guard whole.readableBytes + bytes.readableBytes <= Self.bodyLimit else {
                throw APIError.tooLarge("the body", limit: Int64(Self.bodyLimit))
            }
            whole.writeImmutableBuffer(bytes)
        }
        return whole
    }

    func json<Value: Decodable>(_ type: Value.Type = Value.self) async throws -> Value {
        try WireJSON.decode(type, from: await wholeBody())
    }
}
