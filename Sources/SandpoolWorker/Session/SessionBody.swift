import NIOCore
import SandpoolAPI

/// The session's request body: the inventory, then whatever the core has to send, asked for when the connection
/// has room for it.
struct SessionBody: AsyncSequence, Sendable {
    let hello: WorkerHello
    let number: Int
    let core: WorkerCore

    struct Iterator: AsyncIteratorProtocol {
        let body: SessionBody
        var isOpen = false

        mutating func next() async throws -> ByteBuffer? {
            var buffer = ByteBuffer()
            guard isOpen else {
                isOpen = true
                try Frame.message(WorkerMessage.hello(body.hello)).encode(into: &buffer)
                return buffer
            }
            // An empty part would end the body (RFC 9112, section 7.1).
            while buffer.readableBytes == 0 {
                guard let items = await body.core.nextOutbound(session: body.number) else { return nil }
                try await encode(items, into: &buffer)
            }
            return buffer
        }

        /// One command's output that cannot be read is no reason to end the session, on which all others depend.
        private func encode(_ items: [OutboundItem], into buffer: inout ByteBuffer) async throws {
            var lost: [String: Set<OutputStreamCode>] = [:]
            for item in items {
                guard let item = item.without(lost) else { continue }
                do {
                    try item.frame().encode(into: &buffer)
                } catch let unreadable as OutboundItem.Unreadable {
                    lost[unreadable.piece.id, default: []].insert(unreadable.piece.stream)
                    await body.core.noteUnreadable(unreadable)
                }
            }
        }
    }

    func makeAsyncIterator() -> Iterator { Iterator(body: self) }
}
