import NIOCore
import NIOHTTP1
import SandpoolAPI

/// Requests to one coordinator: JSON in, JSON or bytes out, errors as `SandpoolError`.
struct HTTPClient: Sendable {
    let connector: Connector
    let token: String?

    /// Most bytes of a JSON answer.
    static let answerLimit = 64 << 20

    /// Opens an exchange and sends the request's head with what is known of its body.
    func open(
        _ method: HTTPMethod, _ target: String, contentType: String? = nil, length: Int64? = nil,
        first: ByteBuffer? = nil, isWhole: Bool = true
    ) async throws -> Exchange {
        let exchange = try await connector.connect()
        var headers = HTTPHeaders()
        headers.add(name: "host", value: connector.endpoint.hostHeader)
        headers.add(name: "connection", value: "close")
        if let token { headers.add(name: "authorization", value: "Bearer \(token)") }
        if let contentType { headers.add(name: "content-type", value: contentType) }
        if let length {
            headers.add(name: "content-length", value: String(length))
        } else if isWhole {
            if let first { headers.add(name: "content-length", value: String(first.readableBytes)) }
        } else {
            headers.add(name: "transfer-encoding", value: "chunked")
        }
        let head = HTTPRequestHead(version: .http1_1, method: method, uri: target, headers: headers)
        exchange.start(head, first: first, isWhole: isWhole)
        return exchange
    }

    /// How long the answer to a stream may take to begin. What follows may be silent for as long as a command is.
    static let streamPatience = TimeAmount.seconds(30)

    /// Waits for the answer's head and turns an error answer into a thrown error.
    ///
    /// - Parameter limit: see `Exchange.head`.
    @discardableResult
    func accept(_ exchange: Exchange, within limit: TimeAmount? = nil) async throws -> HTTPResponseHead {
        let head = try await exchange.head(within: limit)
        guard head.status.code >= 400 else { return head }
        let body = try await exchange.body(limit: Self.answerLimit)
        exchange.close()
        throw failure(status: Int(head.status.code), body: body)
    }

    private func failure(status: Int, body: ByteBuffer) -> SandpoolError {
        if let answer = try? WireJSON.decode(ErrorBody.self, from: body) {
            if status == 401, token != nil { return .unknownToken(connector.endpoint, answer.error) }
            return SandpoolError(answer.error, status: status)
        }
        return SandpoolError(
            code: "http_\(status)", message: "\(connector.endpoint) answered \(status)",
            hint: "is that a Sandpool coordinator?", status: status)
    }

    /// One request whose answer's body is read whole.
    func request(_ method: HTTPMethod, _ target: String, json: ByteBuffer? = nil) async throws -> ByteBuffer {
        let exchange = try await open(
            method, target, contentType: json == nil ? nil : "application/json", first: json)
        defer { exchange.close() }
        try await accept(exchange)
        return try await exchange.body(limit: Self.answerLimit)
    }

    func get<Answer: Decodable>(_ target: String, as type: Answer.Type = Answer.self) async throws -> Answer {
        try decode(try await request(.GET, target))
    }

    func post<Answer: Decodable>(
        _ target: String, _ body: (some Encodable)?, as type: Answer.Type = Answer.self
    ) async throws -> Answer {
        let json = try body.map { try WireJSON.encode($0) }
        if let json, json.readableBytes > Routes.bodyLimit { throw SandpoolError.tooLarge(json.readableBytes) }
        return try decode(try await request(.POST, target, json: json))
    }

    func decode<Answer: Decodable>(_ body: ByteBuffer) throws -> Answer {
        do {
            return try WireJSON.decode(Answer.self, from: body)
        } catch {
            throw SandpoolError.unreadable(connector.endpoint)
        }
    }
}
