import Glibc
import NIOCore
import NIOPosix
import SandpoolAPI
import Testing

@testable import Sandpool

/// A real server on loopback whose answers are written down one connection at a time: what no well-behaved
/// coordinator does, such as vanishing within a byte, is done here on purpose.
final class ScriptedServer: Sendable {
    let port: Int
    private let listener: Int32
    private let thread = NIOThreadPool(numberOfThreads: 1)
    private let outcome: EventLoopFuture<Void>

    var pool: Pool { Pool(endpoint: Endpoint(host: "127.0.0.1", port: port), token: "secret") }

    /// - Parameters:
    ///   - script: what is done with each connection, in the order they come.
    ///   - listens: `false` keeps the port, so that nobody else gets it, and refuses every connection.
    init(_ script: [@Sendable (ScriptedConnection) throws -> Void], listens: Bool = true) throws {
        // Closed on exec: a program that another test starts would keep the port answering.
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(listener, address, length) == 0 && (!listens || listen(listener, 16) == 0)
                    && getsockname(listener, address, &length) == 0
            }
        }
        try #require(bound)
        port = Int(UInt16(bigEndian: address.sin_port))
        self.listener = listener
        thread.start()
        outcome = thread.runIfActive(eventLoop: MultiThreadedEventLoopGroup.singleton.next()) {
            for step in script {
                let connection = ScriptedConnection(accept(listener, nil, nil))
                defer { connection.close() }
                try step(connection)
            }
        }
    }

    /// Waits until every connection of the script came and was answered; throws what a step threw.
    func finish() async throws {
        try await outcome.get()
        close(listener)
    }
}

/// One connection of a script. Blocks, in the server's own thread.
final class ScriptedConnection {
    private let descriptor: Int32
    private var received = ByteBuffer()
    private var decoder = FrameDecoder()

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }

    func close() { Glibc.close(descriptor) }

    /// Says that nothing more comes and reads until the client has closed: closing with bytes unread would reset
    /// the connection, and the client would lose what it was sent last.
    func closeInOrder() {
        shutdown(descriptor, Int32(SHUT_WR))
        closeWhenLeft()
    }

    /// Sends nothing more and reads until the client has closed.
    func closeWhenLeft() {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        while read(descriptor, &bytes, bytes.count) > 0 {}
    }

    /// Reads the request's head and gives its first line.
    @discardableResult
    func request() throws -> String {
        while true {
            let head = received.readableBytesView
            // Swift takes a carriage return and the line feed behind it for one character.
            let lines = String(decoding: head, as: UTF8.self).split(separator: "\r\n", omittingEmptySubsequences: false)
            if let blank = lines.firstIndex(of: ""), blank > 0, blank < lines.count - 1 {
                received.moveReaderIndex(forwardBy: lines[...blank].reduce(0) { $0 + $1.utf8.count + 2 })
                return String(lines[0])
            }
            try fill()
        }
    }

    /// The next frame of a chunked request body.
    func frame() throws -> Frame {
        while true {
            if let frame = try decoder.next() { return frame }
            decoder.append(try chunk())
        }
    }

    private func chunk() throws -> ByteBuffer {
        while true {
            let view = received.readableBytesView
            if let end = view.firstIndex(of: UInt8(ascii: "\r")), view.endIndex > end + 1 {
                let digits = String(decoding: view[view.startIndex..<end], as: UTF8.self)
                let size = try #require(Int(digits, radix: 16))
                let header = end + 2 - view.startIndex
                if received.readableBytes >= header + size + 2 {
                    received.moveReaderIndex(forwardBy: header)
                    let bytes = received.readSlice(length: size)
                    received.moveReaderIndex(forwardBy: 2)
                    return try #require(bytes)
                }
            }
            try fill()
        }
    }

    private func fill() throws {
        let count = received.writeWithUnsafeMutableBytes(minimumWritableBytes: 65_536) { room in
            max(0, read(descriptor, room.baseAddress, room.count))
        }
        try #require(count > 0, "the client closed the connection")
    }

    func send(_ text: String) { send(ByteBuffer(string: text)) }

    func send(_ bytes: ByteBuffer) {
        _ = bytes.withUnsafeReadableBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    }

    /// A whole JSON answer.
    func answer(_ status: String = "200 OK", _ json: String) {
        send("HTTP/1.1 \(status)\r\ncontent-length: \(json.utf8.count)\r\n\r\n\(json)")
    }

    /// The head of an answer whose body follows in chunks.
    func beginChunks() { send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n") }

    func sendChunk(_ bytes: ByteBuffer) {
        send("\(String(bytes.readableBytes, radix: 16))\r\n")
        send(bytes)
        send("\r\n")
    }

    func sendChunk(_ text: String) { sendChunk(ByteBuffer(string: text)) }

    func sendFrame(_ frame: Frame) throws {
        var bytes = ByteBuffer()
        try frame.encode(into: &bytes)
        sendChunk(bytes)
    }

    func endChunks() { send("0\r\n\r\n") }
}

extension Endpoint {
    init(host: String, port: Int) { self = (try? Endpoint(url: "http://\(host):\(port)")) ?? Endpoint(socketPath: "/") }
}
