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

/// What the database knows of an attempt's output. What is in segment files is known from these.
public struct AttemptOutput: Hashable, Sendable {
    /// Whether the attempt is terminal, so that nothing is added any more.
    public var isComplete: Bool
    /// By stream and offset.
    public var tails: [InlineOutput]

    public init(isComplete: Bool, tails: [InlineOutput]) {
        self.isComplete = isComplete
        self.tails = tails
    }
}
