import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import SandpoolAPI
import SandpoolModel
import Testing

@testable import SandpoolWorker

/// A server that speaks the worker session and does what a test wants of it.
final class TestCoordinator: Sendable {
    let port: Int
    private let sessions: AsyncStream<ServedSession>.Iterator.Box

    private init(port: Int, sessions: AsyncStream<ServedSession>) {
        self.port = port
        self.sessions = .init(sessions)
    }

    /// The next session that the worker opens.
    func session() async throws -> ServedSession {
        guard let session = await sessions.next() else { throw WorkerError("no session") }
        return session
    }

    static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// Serves while `body` runs.
    ///
    /// - Parameters:
    ///   - refusal: what every request is answered with instead of a session.
    ///   - blobs: what it answers for each digest.
    static func run(
        refusal: (status: HTTPResponse.Status, error: APIError)? = nil, blobs: [String: String] = [:],
        _ body: @Sendable @escaping (TestCoordinator) async throws -> Void
    ) async throws {
        let (sessions, opened) = AsyncStream.makeStream(of: ServedSession.self)
        let (ports, running) = AsyncStream.makeStream(of: Int.self)
        let router = Router()
        router.post(.init(Routes.workerSession)) { request, _ in
            if let refusal {
                let body = try WireJSON.encode(ErrorBody(error: refusal.error))
                return Response(status: refusal.status, body: .init(byteBuffer: body))
            }
            let session = ServedSession()
            opened.yield(session)
            return Response(status: .ok, body: ResponseBody { try await session.serve(request.body, &$0) })
        }
        router.get("\(Routes.workerBlobs)/:digest") { _, context in
            guard let content = context.parameters.get("digest").flatMap({ blobs[$0] }) else {
                throw HTTPError(.notFound)
            }
            return Response(status: .ok, body: .init(byteBuffer: ByteBuffer(string: content)))
        }
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { running.yield($0.localAddress?.port ?? 0) }, logger: silent)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await application.run() }
            group.addTask {
                var iterator = ports.makeAsyncIterator()
                try await body(TestCoordinator(port: await iterator.next() ?? 0, sessions: sessions))
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }
}

extension AsyncStream.Iterator where Element: Sendable {
    /// An iterator that one task after another may use.
    actor Box {
        private let stream: AsyncStream<Element>

        init(_ stream: AsyncStream<Element>) { self.stream = stream }

        func next() async -> Element? {
            var iterator = stream.makeAsyncIterator()
            return await iterator.next()
        }
    }
}

/// One session as the coordinator sees it.
final class ServedSession: Sendable {
    private let incoming: AsyncStream<Frame>.Iterator.Box
    private let received: AsyncStream<Frame>.Continuation
    private let outgoing: AsyncStream<ByteBuffer>
    private let sent: AsyncStream<ByteBuffer>.Continuation

    init() {
        let (frames, received) = AsyncStream.makeStream(of: Frame.self)
        (incoming, self.received) = (.init(frames), received)
        (outgoing, sent) = AsyncStream.makeStream()
    }

    fileprivate func serve(_ body: RequestBody, _ writer: inout any ResponseBodyWriter) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [received] in
                defer { received.finish() }
                var decoder = FrameDecoder()
                for try await bytes in body {
                    decoder.append(bytes)
                    while let frame = try decoder.next() { received.yield(frame) }
                }
            }
            for await bytes in outgoing { try await writer.write(bytes) }
            try await writer.finish(nil)
            group.cancelAll()
        }
    }

    func frame() async throws -> Frame {
        guard let frame = await incoming.next() else { throw WorkerError("the worker ended the session") }
        return frame
    }

    func message() async throws -> WorkerMessage { try await frame().checkedMessage() }

    func hello() async throws -> WorkerHello {
        guard case .hello(let hello) = try await message() else { throw WorkerError("no hello") }
        return hello
    }

    /// The next results; words of progress before them are passed over.
    func results() async throws -> [AttemptResult] {
        while true {
            if case .results(let results) = try await message() { return results }
        }
    }

    /// Takes standard output of `id` from `offset` on until `end`, each frame where the last one ended, and all of it
    /// what `Samples.output` says.
    func take(_ id: String, from offset: Int, to end: Int) async throws {
        var position = offset
        while position < end {
            guard case .output(let frame) = try await frame(), frame.id == id else { continue }
            #expect(frame.offset == Int64(position) && frame.stream == .stdout)
            #expect(frame.bytes.readableBytes <= Frame.chunkBytes)
            let count = frame.bytes.readableBytes
            #expect(Array(buffer: frame.bytes) == Array(Samples.output[position..<min(position + count, end)]))
            position += count
        }
        #expect(position == end)
    }

    /// The next message that is wanted; what comes before it is passed over.
    func message<Value>(_ wanted: (WorkerMessage) -> Value?) async throws -> Value {
        while true {
            let frame = try await frame()
            if case .json = frame, let value = wanted(try frame.checkedMessage()) { return value }
        }
    }

    func send(_ message: CoordinatorMessage) throws { try send(.message(message)) }

    func send(_ frame: Frame) throws {
        var bytes = ByteBuffer()
        try frame.encode(into: &bytes)
        send(raw: bytes)
    }

    func send(raw bytes: ByteBuffer) { sent.yield(bytes) }

    /// Lets the worker in.
    func welcome(keep: [HeldAttempt] = [], kill: [AttemptLease] = []) async throws -> WorkerHello {
        let hello = try await hello()
        try send(
            .welcome(
                WorkerWelcome(generation: 1, leaseSeconds: 60, heartbeatSeconds: 20, keep: keep, kill: kill)))
        return hello
    }

    /// Ends the response: the connection is lost to the worker.
    func end() { sent.finish() }
}
