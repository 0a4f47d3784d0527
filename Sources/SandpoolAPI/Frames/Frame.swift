import NIOCore

/// One message of a stream: the worker session and the combined `run` stream are sequences of these.
///
/// On the wire: payload length (4 bytes, big-endian), kind (1 byte), payload. A `json` payload is one JSON
/// value of the stream's own message type; an `output` or `input` payload is binary, because base64 in
/// JSON would cost a third more and a copy.
public enum Frame: Hashable, Sendable {
    case json(ByteBuffer)
    case output(OutputFrame)
    case input(InputFrame)

    /// Bound on one payload.
    public static let payloadLimit = 4 << 20
    /// What a sender puts at most into one output or input frame.
    public static let chunkBytes = 128 << 10
}

/// Bytes of a command's output.
public struct OutputFrame: Hashable, Sendable {
    /// The attempt's id on the worker session, the job's id towards clients; the exec's id on both for an exec.
    public var id: String
    /// The lease's epoch; 0 towards clients.
    public var epoch: Int64
    public var stream: OutputStreamCode
    /// Where the first byte stands in its stream.
    public var offset: Int64
    public var bytes: ByteBuffer

    public init(id: String, epoch: Int64, stream: OutputStreamCode, offset: Int64, bytes: ByteBuffer) {
        self.id = id
        self.epoch = epoch
        self.stream = stream
        self.offset = offset
        self.bytes = bytes
    }
}

/// Bytes of a command's input, or their end.
public struct InputFrame: Hashable, Sendable {
    public var id: String
    public var epoch: Int64
    public var offset: Int64
    /// Whether standard input ends after these bytes.
    public var isLast: Bool
    public var bytes: ByteBuffer

    public init(id: String, epoch: Int64, offset: Int64, isLast: Bool, bytes: ByteBuffer) {
        self.id = id
        self.epoch = epoch
        self.offset = offset
        self.isLast = isLast
        self.bytes = bytes
    }
}

/// The byte that names an output stream on the wire.
public enum OutputStreamCode: UInt8, Hashable, Sendable {
    case stdout = 1
    case stderr = 2
}
