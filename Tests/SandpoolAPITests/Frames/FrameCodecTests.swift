import NIOCore
import SandpoolAPI
import SandpoolModel
import Testing

@Suite struct FrameCodecTests {
    static let id = "at-01jd8zzzzzzzzzzzzzzzzzzzzz"

    static let frames: [Frame] = [
        .json(ByteBuffer(string: #"{"drain":{}}"#)), .json(ByteBuffer()),
        .output(OutputFrame(id: id, epoch: 7, stream: .stdout, offset: 1 << 40, bytes: ByteBuffer(bytes: [0, 0xFF]))),
        .output(OutputFrame(id: "a", epoch: .max, stream: .stderr, offset: 0, bytes: ByteBuffer())),
        .input(InputFrame(id: id, epoch: 0, offset: 3, isLast: false, bytes: ByteBuffer(string: "abc"))),
        .input(InputFrame(id: id, epoch: 0, offset: 3, isLast: true, bytes: ByteBuffer())),
        .output(
            OutputFrame(
                id: id, epoch: 1, stream: .stdout, offset: 0,
                bytes: ByteBuffer(repeating: 0x61, count: Frame.chunkBytes))),
    ]

    /// What the decoder makes of bytes that arrive in pieces.
    static func decode(_ bytes: ByteBuffer, inPiecesOf size: Int) throws -> [Frame] {
        var (decoder, rest, frames) = (FrameDecoder(), bytes, [Frame]())
        while let piece = rest.readSlice(length: min(size, rest.readableBytes)), piece.readableBytes > 0 {
            decoder.append(piece)
            while let frame = try decoder.next() { frames.append(frame) }
        }
        try decoder.finish()
        return frames
    }

    @Test(arguments: [1, 2, 3, 5, 7, 64, 4_096, 1 << 20]) func goThereAndBack(pieces: Int) throws {
        var bytes = ByteBuffer()
        for frame in Self.frames { try frame.encode(into: &bytes) }
        #expect(try Self.decode(bytes, inPiecesOf: pieces) == Self.frames)
    }

    /// The layout is a promise to every other version: it is written out here byte by byte.
    @Test func layoutIsPinned() throws {
        var bytes = ByteBuffer()
        try Frame.json(ByteBuffer(string: "{}")).encode(into: &bytes)
        #expect(Array(bytes.readableBytesView) == [0, 0, 0, 2, 1, 0x7B, 0x7D])
        bytes.clear()
        try Frame.output(
            OutputFrame(id: "ab", epoch: 0x0102, stream: .stderr, offset: 0x0304, bytes: ByteBuffer(bytes: [9, 8]))
        ).encode(into: &bytes)
        #expect(
            Array(bytes.readableBytesView) == [
                0, 0, 0, 22, 2, 2, 0x61, 0x62, 0, 0, 0, 0, 0, 0, 1, 2, 2, 0, 0, 0, 0, 0, 0, 3, 4, 9, 8,
            ])
        bytes.clear()
        try Frame.input(InputFrame(id: "a", epoch: 1, offset: 2, isLast: true, bytes: ByteBuffer())).encode(
            into: &bytes)
        #expect(
            Array(bytes.readableBytesView) == [
                0, 0, 0, 19, 3, 1, 0x61, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 2,
            ])
    }

    static func output(id: String = "a", epoch: Int64 = 0, offset: Int64 = 0, bytes: Int = 0) -> Frame {
        .output(
            OutputFrame(
                id: id, epoch: epoch, stream: .stdout, offset: offset, bytes: ByteBuffer(repeating: 0, count: bytes)))
    }

    @Test(arguments: [
        output(id: ""), output(id: "A"), output(id: "../x"), output(id: String(repeating: "a", count: 300)),
        output(epoch: -1), output(offset: -1), output(offset: .max), output(bytes: Frame.payloadLimit),
        .json(ByteBuffer(repeating: 0x20, count: Frame.payloadLimit + 1)),
    ])
    func whatTheOtherEndWouldRefuseIsNotSent(frame: Frame) {
        var bytes = ByteBuffer(string: "before")
        #expect(throws: FrameError.self) { try frame.encode(into: &bytes) }
        #expect(bytes == ByteBuffer(string: "before"))
    }

    @Test func aFrameMayBeFull() throws {
        var bytes = ByteBuffer()
        let frame = Frame.json(ByteBuffer(repeating: 0x20, count: Frame.payloadLimit))
        try frame.encode(into: &bytes)
        #expect(try Self.decode(bytes, inPiecesOf: 65_536) == [frame])
    }

    @Test func messagesRideInFrames() throws {
        let message = CoordinatorMessage.heartbeat(sentMs: 5)
        #expect(try Frame.message(message).message(as: CoordinatorMessage.self) == message)
        #expect(throws: FrameError.notAMessage) { try Self.output().message(as: CoordinatorMessage.self) }
        let long = RunRequest.follow(job: String(repeating: "a", count: Frame.payloadLimit), stdout: 0, stderr: 0)
        #expect(throws: FrameError.self) { try Frame.message(long) }
    }
}
