import Hummingbird
import NIOCore
import SandpoolAPI

/// The frames of a request's body, one after the other.
///
/// The first is read before the response begins and the others beside it, by one task at a time: that is what makes
/// sharing the iterator safe.
final class RequestFrames: @unchecked Sendable {
    private var chunks: RequestBody.AsyncIterator
    private var decoder = FrameDecoder()

    init(_ body: RequestBody) { chunks = body.makeAsyncIterator() }

    /// The next frame; `nil` at the body's end.
    ///
    /// - Throws: `FrameError`, or what broke the connection.
    func next() async throws -> Frame? {
        while true {
            if let frame = try decoder.next() { return frame }
            guard let bytes = try await chunks.next() else {
                try decoder.finish()
                return nil
            }
            decoder.append(bytes)
        }
    }
}
