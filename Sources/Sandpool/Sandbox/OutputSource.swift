import NIOCore
import SandpoolModel

/// Where a command's output is read from: the pool that keeps it, or the connection it comes in on.
enum OutputSource: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    case stored(OutputChunks)
    case live(ExecLine, OutputStream)

    func makeAsyncIterator() -> Iterator {
        switch self {
        case .stored(let chunks): Iterator(place: .stored(chunks.makeAsyncIterator()))
        case .live(let line, let stream): Iterator(place: .live(line, stream))
        }
    }

    struct Iterator: AsyncIteratorProtocol {
        enum Place {
            case stored(OutputChunks.Iterator)
            case live(ExecLine, OutputStream)
        }

        var place: Place

        mutating func next() async throws -> ByteBuffer? {
            switch place {
            case .stored(var chunks):
                defer { place = .stored(chunks) }
                return try await chunks.next()
            case .live(let line, let stream): return try await line.output(stream).next()
            }
        }
    }
}
