import NIOCore
import NIOHTTP1
import SandpoolAPI
import SandpoolModel

/// What a job wrote to one stream, from an offset on, as it was written.
///
/// Nothing is fetched that nobody asks for, so an unread stream costs nothing and holds nothing up: the
/// coordinator keeps it. A lost connection is made again at the byte where it stood.
public struct OutputChunks: AsyncSequence, Sendable {
    public typealias Element = ByteBuffer

    let http: HTTPClient
    let job: String
    let stream: OutputStream
    let start: Int64
    let since: String?
    let isStamped: Bool
    let follows: Bool

    public func makeAsyncIterator() -> Iterator { Iterator(self) }

    public struct Iterator: AsyncIteratorProtocol {
        private let chunks: OutputChunks
        private var offset: Int64
        /// Until the coordinator has said which byte that is.
        private var since: String?
        private var stamped: StampedLines?
        private var follows: Bool
        private var exchange: Exchange?
        private var queue: ArraySlice<ByteBuffer> = []
        private var backoff = Backoff()

        init(_ chunks: OutputChunks) {
            self.chunks = chunks
            offset = chunks.start
            since = chunks.since
            stamped = chunks.isStamped ? StampedLines() : nil
            follows = chunks.follows
        }

        public mutating func next() async throws -> ByteBuffer? {
            while true {
                if var bytes = queue.popFirst() {
                    offset += stamped?.take(&bytes) ?? Int64(bytes.readableBytes)
                    return bytes
                }
                do {
                    let source = try await opened()
                    queue = try await source.next()[...]
                    guard queue.isEmpty else { continue }
                    source.close()
                    exchange = nil
                    // A coordinator that shuts down ends its answers in order, so an end says nothing about the
                    // job: ask, and once it is finished read what may have come in between.
                    guard follows else { return nil }
                    let job: Job = try await chunks.http.get(Routes.job(Query.escape(chunks.job)))
                    follows = !job.state.isTerminal
                } catch let error as SandpoolError where error.isConnectionLoss {
                    exchange?.close()
                    exchange = nil
                    try await Task.sleep(for: backoff.delay(after: error))
                }
            }
        }

        private mutating func opened() async throws -> Exchange {
            if let exchange { return exchange }
            var query = Query()
            query.add("offset", String(offset))
            if let since { query.add("since", since) }
            if chunks.isStamped { query.add("timestamps", "true") }
            if follows { query.add("follow", "true") }
            let target = "\(Routes.job(Query.escape(chunks.job)))/output/\(chunks.stream.rawValue)\(query.text)"
            let opened = try await chunks.http.open(.GET, target)
            do {
                let head = try await chunks.http.accept(opened)
                if since != nil, let begin = head.headers.first(name: Routes.outputOffsetHeader).flatMap(Int64.init) {
                    offset = begin
                    since = nil
                }
                stamped?.reopen()
            } catch {
                opened.close()
                throw error
            }
            backoff.reset()
            exchange = opened
            return opened
        }
    }
}
