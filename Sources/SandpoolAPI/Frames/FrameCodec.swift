import NIOCore
import SandpoolModel

/// Why bytes are not frames, or a value cannot be one.
public enum FrameError: Error, Hashable, Sendable {
    case payloadTooLong(bytes: Int)
    case unknownKind(UInt8)
    /// The payload does not hold what its kind says; the text says what is wrong.
    case malformed(String)
    /// The stream ended inside a frame, with this many bytes of it received.
    case truncated(bytes: Int)
    /// A message was expected and a binary frame came.
    case notAMessage
}

extension FrameError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .payloadTooLong(let bytes):
            "a frame of \(bytes) bytes, more than the \(Frame.payloadLimit) allowed; send it in parts"
        case .unknownKind(let kind): "a frame of the unknown kind \(kind); is the other end the same version?"
        case .malformed(let what): "a malformed frame: \(what)"
        case .truncated(let bytes): "the stream ended inside a frame, after \(bytes) bytes of it"
        case .notAMessage: "a binary frame where a message was expected"
        }
    }
}

extension Frame {
    /// The byte that says what the payload is.
    enum Kind: UInt8 {
        case json = 1
        case output = 2
        case input = 3
    }

    /// Payload length (4 bytes) and kind (1 byte).
    static let headerBytes = 5

    /// The kind and length of the payload that `encode` would write.
    private var layout: (kind: Kind, payload: Int) {
        switch self {
        case .json(let bytes): (.json, bytes.readableBytes)
        case .output(let frame): (.output, Self.binaryHeaderBytes(id: frame.id) + frame.bytes.readableBytes)
        case .input(let frame): (.input, Self.binaryHeaderBytes(id: frame.id) + frame.bytes.readableBytes)
        }
    }

    /// Id length, id, epoch, stream or last mark, offset.
    private static func binaryHeaderBytes(id: String) -> Int { 1 + id.utf8.count + 8 + 1 + 8 }

    /// Bytes of the payload, as it goes over the wire.
    public var payloadBytes: Int { layout.payload }

    /// Appends the frame to `buffer`.
    ///
    /// - Throws: `FrameError` when the other end would refuse the frame; `buffer` is then unchanged.
    public func encode(into buffer: inout ByteBuffer) throws(FrameError) {
        let (kind, payload) = layout
        guard payload <= Self.payloadLimit else { throw .payloadTooLong(bytes: payload) }
        switch self {
        case .json: break
        case .output(let frame): try Self.check(id: frame.id, epoch: frame.epoch, offset: frame.offset)
        case .input(let frame): try Self.check(id: frame.id, epoch: frame.epoch, offset: frame.offset)
        }
        buffer.reserveCapacity(minimumWritableBytes: Self.headerBytes + payload)
        buffer.writeInteger(UInt32(payload))
        buffer.writeInteger(kind.rawValue)
        switch self {
        case .json(let bytes):
            buffer.writeImmutableBuffer(bytes)
        case .output(let frame):
            Self.writeBinaryHeader(
                to: &buffer, id: frame.id, epoch: frame.epoch, mark: frame.stream.rawValue, offset: frame.offset)
            buffer.writeImmutableBuffer(frame.bytes)
        case .input(let frame):
            Self.writeBinaryHeader(
                to: &buffer, id: frame.id, epoch: frame.epoch, mark: frame.isLast ? 1 : 0, offset: frame.offset)
            buffer.writeImmutableBuffer(frame.bytes)
        }
    }

    private static func writeBinaryHeader(
        to buffer: inout ByteBuffer, id: String, epoch: Int64, mark: UInt8, offset: Int64
    ) {
        buffer.writeInteger(UInt8(id.utf8.count))
        buffer.writeString(id)
        buffer.writeInteger(epoch)
        buffer.writeInteger(mark)
        buffer.writeInteger(offset)
    }

    /// Decodes a whole payload.
    init(kind: Kind, payload: ByteBuffer) throws(FrameError) {
        switch kind {
        case .json:
            self = .json(payload)
        case .output:
            var bytes = payload
            let (id, epoch, mark, offset) = try Self.readBinaryHeader(from: &bytes)
            guard let stream = OutputStreamCode(rawValue: mark) else { throw .malformed("no output stream \(mark)") }
            self = .output(OutputFrame(id: id, epoch: epoch, stream: stream, offset: offset, bytes: bytes))
        case .input:
            var bytes = payload
            let (id, epoch, mark, offset) = try Self.readBinaryHeader(from: &bytes)
            guard mark <= 1 else { throw .malformed("the last mark is \(mark), not 0 or 1") }
            self = .input(InputFrame(id: id, epoch: epoch, offset: offset, isLast: mark == 1, bytes: bytes))
        }
    }

    private static func readBinaryHeader(
        from buffer: inout ByteBuffer
    ) throws(FrameError) -> (id: String, epoch: Int64, mark: UInt8, offset: Int64) {
        guard let length = buffer.readInteger(as: UInt8.self), let id = buffer.readString(length: Int(length)),
            let epoch = buffer.readInteger(as: Int64.self), let mark = buffer.readInteger(as: UInt8.self),
            let offset = buffer.readInteger(as: Int64.self)
        else { throw .malformed("it is too short") }
        try check(id: id, epoch: epoch, offset: offset)
        return (id, epoch, mark, offset)
    }

    /// What holds for every binary frame, so that nobody who reads one has to check again: the id is fit for a
    /// file name, and adding a payload's length to the offset cannot overflow.
    private static func check(id: String, epoch: Int64, offset: Int64) throws(FrameError) {
        guard isIdentifierText(id) else { throw .malformed("its id is not [a-z0-9-]{1,64}") }
        guard epoch >= 0 else { throw .malformed("its epoch is negative") }
        guard (0...Int64.max - Int64(payloadLimit)).contains(offset) else {
            throw .malformed("its offset \(offset) is out of range")
        }
    }
}
