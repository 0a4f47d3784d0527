import NIOCore
import NIOPosix

/// Passes a command's output on, byte for byte. A reader that is slow holds up a thread of this sink's own,
/// never one that signals or input need; short output with room for it needs no thread at all.
final class OutputSink: Sendable {
    private let thread = NIOThreadPool(numberOfThreads: 1)

    func write(_ bytes: ByteBuffer, to descriptor: Int32) async throws {
        if Descriptor.takesAtOnce(bytes.readableBytes, descriptor) {
            try bytes.withUnsafeReadableBytes { try Descriptor.write($0, to: descriptor) }
            return
        }
        thread.start()
        try await thread.runIfActive {
            try bytes.withUnsafeReadableBytes { try Descriptor.write($0, to: descriptor) }
        }
    }
}
