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
            guard let items = await body.core.nextOutbound(session: body.number) else { return nil }
            for item in items { try item.frame().encode(into: &buffer) }
            return buffer
        }
    }

    func makeAsyncIterator() -> Iterator { Iterator(body: self) }
}
