import NIOCore
import SandpoolModel

/// What a command writes to one of its output streams, from the beginning, until it is finished.
///
/// Each iteration reads from the start by itself; what nobody reads costs nothing and holds nothing up. Of a
/// `SandboxProcess` it is live: one iteration takes what the next one does not see.
public struct SandboxOutput: AsyncSequence, Sendable {
    public typealias Element = [UInt8]

    private let chunks: OutputSource

    init(_ job: JobID, _ stream: OutputStream, in pool: Pool) {
        chunks = .stored(pool.output(of: job.text, stream, follow: true))
    }

    init(_ line: ExecLine, _ stream: OutputStream) { chunks = .live(line, stream) }

    public func makeAsyncIterator() -> Iterator { Iterator(chunks: chunks.makeAsyncIterator()) }

    public struct Iterator: AsyncIteratorProtocol {
        var chunks: OutputSource.Iterator

        /// The next bytes, in pieces as they arrived.
        public mutating func next() async throws -> [UInt8]? {
            try await chunks.next().map { Array($0.readableBytesView) }
        }
    }

    /// The stream as lines of text without their line ends; bytes that are not UTF-8 are replaced.
    public var lines: SandboxLines { SandboxLines(chunks: chunks) }

    /// Waits for the command's end and gives everything it wrote.
    ///
    /// - Parameter limit: most bytes; more is an error; of a job none of it is lost, since the pool keeps it.
    public func readAll(limit: Int = 64 << 20) async throws -> [UInt8] {
        var whole: [UInt8] = []
        for try await bytes in chunks {
            guard whole.count + bytes.readableBytes <= limit else {
                throw SandpoolError(
                    code: "output_too_long", message: "the output is longer than \(limit) bytes",
                    hint: "raise the limit, or read it piece by piece")
            }
            whole += bytes.readableBytesView
        }
        return whole
    }

    /// As `readAll`, as text; bytes that are not UTF-8 are replaced.
    public func readText(limit: Int = 64 << 20) async throws -> String {
        String(decoding: try await readAll(limit: limit), as: UTF8.self)
    }
}

/// Output as lines of text.
public struct SandboxLines: AsyncSequence, Sendable {
    public typealias Element = String

    /// Bytes after which a line is cut: one without an end must not fill the memory.
    public static let longestLine = 1 << 20

    let chunks: OutputSource

    public func makeAsyncIterator() -> Iterator { Iterator(chunks: chunks.makeAsyncIterator()) }

    public struct Iterator: AsyncIteratorProtocol {
        var chunks: OutputSource.Iterator
        private var buffer = ByteBuffer()
        private var searched = 0
        private var hasEnded = false

        init(chunks: OutputSource.Iterator) { self.chunks = chunks }

        public mutating func next() async throws -> String? {
            while true {
                if let line = takeLine() { return line }
                if hasEnded { return buffer.readableBytes == 0 ? nil : take(buffer.readableBytes, dropping: 0) }
                if var bytes = try await chunks.next() {
                    buffer.discardReadBytes()
                    buffer.writeBuffer(&bytes)
                } else {
                    hasEnded = true
                }
            }
        }

        private mutating func takeLine() -> String? {
            let view = buffer.readableBytesView.dropFirst(searched)
            if let end = view.firstIndex(of: UInt8(ascii: "\n")) {
                return take(end - buffer.readerIndex, dropping: 1)
            }
            searched = buffer.readableBytes
            return searched >= SandboxLines.longestLine ? take(SandboxLines.longestLine, dropping: 0) : nil
        }

        private mutating func take(_ length: Int, dropping end: Int) -> String {
            let line = buffer.readSlice(length: length) ?? ByteBuffer()
            buffer.moveReaderIndex(forwardBy: end)
            searched = 0
            return String(decoding: line.readableBytesView, as: UTF8.self)
        }
    }
}
