import NIOCore

/// Takes frames out of bytes that arrive in pieces of any size.
///
/// Call `next` after each `append` until it returns `nil`: then less than one frame is held, at most
/// `Frame.payloadLimit` and a header. A frame that is too long or of an unknown kind is refused by its header,
/// before its payload is received. After an error the stream has no known frame boundary any more: every later
/// `next` throws the same error.
public struct FrameDecoder: Sendable {
    private var buffer = ByteBuffer()
    private var failure: FrameError?

    public init() {}

    /// Bytes held that no frame was taken from yet.
    public var pendingBytes: Int { buffer.readableBytes }

    /// Adds bytes that arrived.
    public mutating func append(_ bytes: ByteBuffer) {
        guard failure == nil else { return }
        guard buffer.readableBytes > 0 else {
            buffer = bytes
            return
        }
        buffer.discardReadBytes()
        buffer.writeImmutableBuffer(bytes)
    }

    /// Takes the next whole frame, or `nil` when more bytes are needed. Its bytes share storage with what was
    /// appended.
    public mutating func next() throws(FrameError) -> Frame? {
        if let failure { throw failure }
        do {
            return try takeFrame()
        } catch {
            failure = error
            buffer = ByteBuffer()
            throw error
        }
    }

    /// States that the stream has ended.
    ///
    /// - Throws: `FrameError.truncated` when it ended inside a frame.
    public func finish() throws(FrameError) {
        if let failure { throw failure }
        guard buffer.readableBytes == 0 else { throw .truncated(bytes: buffer.readableBytes) }
    }

    private mutating func takeFrame() throws(FrameError) -> Frame? {
        guard let length = buffer.getInteger(at: buffer.readerIndex, as: UInt32.self) else { return nil }
        guard length <= UInt32(Frame.payloadLimit) else { throw .payloadTooLong(bytes: Int(length)) }
        guard let code = buffer.getInteger(at: buffer.readerIndex + 4, as: UInt8.self) else { return nil }
        guard let kind = Frame.Kind(rawValue: code) else { throw .unknownKind(code) }
        guard buffer.readableBytes >= Frame.headerBytes + Int(length) else { return nil }
        buffer.moveReaderIndex(forwardBy: Frame.headerBytes)
        guard let payload = buffer.readSlice(length: Int(length)) else { return nil }
        return try Frame(kind: kind, payload: payload)
    }
}
