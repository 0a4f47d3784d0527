import NIOCore
import SandpoolAPI
import SandpoolModel

/// One thing to send: a message, or bytes that still have to be read from a spool.
enum OutboundItem: Sendable {
    case message(WorkerMessage)
    /// - Parameter id: the attempt's or the exec's.
    case output(
        id: String, epoch: Int64, stream: OutputStreamCode, spool: SpoolFile, offset: Int64, count: Int)

    /// The frame; blocks for the read from the page cache.
    func frame() throws -> Frame {
        switch self {
        case .message(let message):
            return try .message(message)
        case .output(let id, let epoch, let stream, let spool, let offset, let count):
            let bytes = try spool.read(at: offset, count: count)
            guard bytes.readableBytes == count else {
                throw WorkerError("the spool of \(id) ends before byte \(offset + Int64(count))")
            }
            return .output(OutputFrame(id: id, epoch: epoch, stream: stream, offset: offset, bytes: bytes))
        }
    }
}
