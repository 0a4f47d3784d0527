import NIOCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension OutputTail {
    /// Characters of base 64 that `AttemptResult.inlineLimit` bytes take.
    static let longestBase64 = (AttemptResult.inlineLimit + 2) / 3 * 4

    /// - Parameter offset: where the first byte stands in its stream.
    public init(offset: Int64, bytes: ByteBuffer) {
        self.init(offset: offset, base64: Data(bytes.readableBytesView).base64EncodedString())
    }

    /// The bytes; `nil` for what is not base 64, begins before the stream, or is longer than a result may carry.
    public var bytes: ByteBuffer? {
        guard offset >= 0, offset <= Int64.max - Int64(AttemptResult.inlineLimit),
            base64.utf8.count <= Self.longestBase64, let data = Data(base64Encoded: base64),
            data.count <= AttemptResult.inlineLimit
        else { return nil }
        return ByteBuffer(bytes: data)
    }
}
