import SandpoolModel

/// The end of a stream that came inside a result and is stored in the database.
public struct InlineOutput: Hashable, Sendable {
    public var stream: OutputStream
    /// Where the first byte stands in its stream.
    public var offset: Int64
    /// 1…`StoreLimits.inlineOutputBytes` bytes.
    public var bytes: [UInt8]

    public init(stream: OutputStream, offset: Int64, bytes: [UInt8]) {
        self.stream = stream
        self.offset = offset
        self.bytes = bytes
    }
}

/// How much of a stream is synced in its segment files.
public struct DurableOutput: Hashable, Sendable {
    public var lease: LeaseKey
    public var stream: OutputStream
    /// Bytes from the stream's begin.
    public var length: Int64

    public init(lease: LeaseKey, stream: OutputStream, length: Int64) {
        self.lease = lease
        self.stream = stream
        self.length = length
    }
}

/// What the database knows of an attempt's output.
public struct AttemptOutput: Hashable, Sendable {
    /// Whether the attempt is terminal, so that nothing is added any more.
    public var isComplete: Bool
    /// Bytes of each stream that are synced in segment files; absent for none.
    public var durable: [OutputStream: Int64]
    /// By stream and offset.
    public var tails: [InlineOutput]

    public init(isComplete: Bool, durable: [OutputStream: Int64], tails: [InlineOutput]) {
        self.isComplete = isComplete
        self.durable = durable
        self.tails = tails
    }
}
