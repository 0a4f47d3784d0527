import AsyncHTTPClient
import Foundation
import Logging
import NIOCore
import NIOPosix
import SandpoolAPI
import SandpoolModel
import ServiceLifecycle

@testable import SandpoolCoordinator

/// A real coordinator on an ephemeral loopback port, with a real database in a directory of its own.
final class TestServer: Sendable {
    let directory: String
    let address: ListenAddress
    let client: HTTPClient
    let admin: String

    private init(directory: String, address: ListenAddress, client: HTTPClient, admin: String) {
        self.directory = directory
        self.address = address
        self.client = client
        self.admin = admin
    }

    /// Runs `body` against a coordinator that is stopped gracefully afterwards.
    static func run(
        directory: TestDirectory, configure: (inout CoordinatorConfiguration) -> Void = { _ in },
        _ body: @Sendable @escaping (TestServer) async throws -> Void
    ) async throws {
        var configuration = CoordinatorConfiguration(
            dataDirectory: directory.path + "/data",
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        configuration.listen = .tcp(host: "127.0.0.1", port: 0)
        configuration.reserveBytes = 1 << 20
        configure(&configuration)
        let listening = Mailbox<ListenAddress>()
        let coordinator = Coordinator(configuration: configuration) { await listening.push($0) }
        let group = ServiceGroup(
            configuration: .init(services: [.init(service: coordinator)], logger: configuration.logger))
        let path = configuration.dataDirectory
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                defer { Task { await listening.finish() } }
                try await group.run()
            }
            guard let address = await listening.next() else {
                try await tasks.next()
                return
            }
            var clientConfiguration = HTTPClient.Configuration()
            clientConfiguration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 64
            let client = HTTPClient(
                eventLoopGroup: MultiThreadedEventLoopGroup.singleton, configuration: clientConfiguration)
            do {
                let admin = try String(contentsOfFile: path + "/admin.token", encoding: .utf8)
                    .trimmingCharacters(in: .whitespacesAndNewlines)
                try await body(TestServer(directory: path, address: address, client: client, admin: admin))
            } catch {
                await group.triggerGracefulShutdown()
                try? await client.shutdown()
                throw error
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            try await client.shutdown()
        }
    }

    /// As above, in a directory of its own.
    static func run(
        configure: (inout CoordinatorConfiguration) -> Void = { _ in },
        _ body: @Sendable @escaping (TestServer) async throws -> Void
    ) async throws {
        let directory = try TestDirectory()
        try await run(directory: directory, configure: configure, body)
    }

    func url(_ path: String) -> String {
        switch address {
        case .tcp(let host, let port): return "http://\(host):\(port)\(path)"
        case .unix(let socket):
            let escaped = socket.replacingOccurrences(of: "/", with: "%2F")
            return "http+unix://\(escaped)\(path)"
        }
    }

    /// Makes a request and collects the answer.
    func request(
        _ method: String, _ path: String, token: String? = nil, body: String? = nil
    ) async throws -> (status: Int, body: ByteBuffer) {
        let bytes = body.map { ByteBuffer(string: $0) }
        return try await request(method, path, authorization: "Bearer \(token ?? admin)", body: bytes)
    }

    func request(
        _ method: String, _ path: String, authorization: String?, body: ByteBuffer?
    ) async throws -> (status: Int, body: ByteBuffer) {
        var request = HTTPClientRequest(url: url(path))
        request.method = .RAW(value: method)
        if let authorization { request.headers.add(name: "Authorization", value: authorization) }
        if let body { request.body = .bytes(body) }
        let response = try await client.execute(request, timeout: .seconds(30))
        return (Int(response.status.code), try await response.body.collect(upTo: 64 << 20))
    }

    /// Makes a request whose answer is JSON of status 200 or 201.
    func json<Value: Decodable>(
        _ method: String, _ path: String, token: String? = nil, body: String? = nil, as type: Value.Type = Value.self
    ) async throws -> Value {
        let (status, bytes) = try await request(method, path, token: token, body: body)
        guard status == 200 || status == 201 else {
            throw TestFailure("\(method) \(path): \(status) \(String(buffer: bytes))")
        }
        return try WireJSON.decode(type, from: bytes)
    }

    /// The code of an error answer, and its status.
    func failure(
        _ method: String, _ path: String, token: String? = nil, body: String? = nil
    ) async throws -> (status: Int, code: String) {
        let (status, bytes) = try await request(method, path, token: token, body: body)
        return (status, try WireJSON.decode(ErrorBody.self, from: bytes).error.code)
    }

    func submit(_ spec: String) async throws -> Job { try await json("POST", "/v1/jobs", body: spec) }

    func job(_ id: JobID, wait: Bool = false) async throws -> Job {
        try await json("GET", "/v1/jobs/\(id)" + (wait ? "?wait=true" : ""))
    }

    func token(_ role: TokenRole) async throws -> CreatedToken {
        try await json("POST", "/v1/tokens", body: #"{"name": "t", "role": "\#(role.rawValue)"}"#)
    }
}

struct TestFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// A directory that goes with the last reference to it.
final class TestDirectory: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "sp-" + UUID().uuidString.prefix(8)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
