import AsyncHTTPClient
import NIOCore
import SandpoolAPI

/// A duplex request as workers and clients make it: frames go up in the request body while frames come down in
/// the response body.
final class FrameConnection: Sendable {
    private let outgoing: AsyncStream<ByteBuffer>.Continuation
    private let frames = Mailbox<Frame>()
    private let reader: Task<Void, Never>?
    /// What broke the connection, if something did.
    private let failure = Mailbox<any Error>()
    let status: Int

    /// - Parameter reads: `false` for a peer that never reads what it gets.
    init(_ server: TestServer, path: String, token: String?, first: some Encodable, reads: Bool = true) async throws {
        let (stream, outgoing) = AsyncStream<ByteBuffer>.makeStream()
        self.outgoing = outgoing
        var bytes = ByteBuffer()
        try Frame.message(first).encode(into: &bytes)
        outgoing.yield(bytes)
        var request = HTTPClientRequest(url: server.url(path))
        request.method = .POST
        request.headers.add(name: "Content-Type", value: WorkerSession.contentType)
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        request.body = .stream(stream, length: .unknown)
        let response = try await server.client.execute(request, deadline: .distantFuture)
        status = Int(response.status.code)
        guard reads else {
            reader = nil
            held = response
            return
        }
        held = nil
        let (frames, failure) = (frames, failure)
        reader = Task {
            var decoder = FrameDecoder()
            do {
                for try await bytes in response.body {
                    decoder.append(bytes)
                    while let frame = try decoder.next() { await frames.push(frame) }
                }
            } catch {
                await failure.push(error)
            }
            await failure.finish()
            await frames.finish()
        }
    }

    /// Keeps the response of a peer that does not read alive, so that its connection stays open.
    private let held: HTTPClientResponse?

    func send(_ message: some Encodable) throws { try send(Frame.message(message)) }

    func send(_ frame: Frame) throws {
        var bytes = ByteBuffer()
        try frame.encode(into: &bytes)
        outgoing.yield(bytes)
    }

    func send(raw bytes: ByteBuffer) { outgoing.yield(bytes) }

    /// Ends the request's body.
    func finish() { outgoing.finish() }

    /// Breaks the connection off, as a process that is killed does.
    func vanish() { reader?.cancel() }

    func next() async -> Frame? { await frames.next() }

    /// Why the connection ended, for a test's message.
    func ending() async -> String { await failure.next().map { "\($0)" } ?? "in order" }
}
