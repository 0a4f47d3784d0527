import NIOCore
import SandpoolAPI
import SandpoolTestSupport
import Testing

@Suite struct FrameDecoderTests {
    static func decoder(_ bytes: [UInt8]) -> FrameDecoder {
        var decoder = FrameDecoder()
        decoder.append(ByteBuffer(bytes: bytes))
        return decoder
    }

    /// The header of a binary frame of the given kind, with single bytes of it replaced.
    static func binary(kind: UInt8 = 2, length: UInt8 = 19, replacing changes: [Int: UInt8] = [:]) -> [UInt8] {
        var bytes: [UInt8] = [0, 0, 0, length, kind, 1, 0x61, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]
        for (place, byte) in changes { bytes[place] = byte }
        return bytes
    }

    /// Bytes and the error that they are.
    static let broken: [([UInt8], FrameError)] = [
        ([0xFF, 0xFF, 0xFF, 0xFF], FrameError.payloadTooLong(bytes: 0xFFFF_FFFF)),
        ([0x00, 0x40, 0x00, 0x01], FrameError.payloadTooLong(bytes: 4_194_305)),
        ([0, 0, 0, 0, 0], FrameError.unknownKind(0)),
        ([0, 0, 0, 9, 4], FrameError.unknownKind(4)),
        ([0, 0, 0, 0, 0xFF], FrameError.unknownKind(0xFF)),
        ([0, 0, 0, 0, 2], FrameError.malformed("it is too short")),
        ([0, 0, 0, 2, 2, 255, 0x61], FrameError.malformed("it is too short")),
        (binary(length: 18), FrameError.malformed("it is too short")),
        (binary(replacing: [5: 0]), FrameError.malformed("its id is not [a-z0-9-]{1,64}")),
        (binary(replacing: [6: 0xFF]), FrameError.malformed("its id is not [a-z0-9-]{1,64}")),
        (binary(replacing: [6: 0x2F]), FrameError.malformed("its id is not [a-z0-9-]{1,64}")),
        (binary(replacing: [7: 0x80]), FrameError.malformed("its epoch is negative")),
        (binary(replacing: [15: 3]), FrameError.malformed("no output stream 3")),
        (binary(kind: 3, replacing: [15: 2]), FrameError.malformed("the last mark is 2, not 0 or 1")),
        (binary(replacing: [16: 0x80]), FrameError.malformed("its offset \(Int64.min) is out of range")),
    ]

    @Test(arguments: broken)
    func refusesAndStaysRefused(bytes: [UInt8], error: FrameError) {
        var decoder = Self.decoder(bytes)
        #expect(throws: error) { try decoder.next() }
        decoder.append(ByteBuffer(bytes: [0, 0, 0, 0, 1]))
        #expect(throws: error) { try decoder.next() }
        #expect(throws: error) { try decoder.finish() }
        #expect(decoder.pendingBytes == 0, "keeps nothing of a stream that is lost")
        #expect(!error.description.contains("\n"))
    }

    @Test(arguments: [[], [0], [0, 0, 0, 2], [0, 0, 0, 2, 1], [0, 0, 0, 2, 1, 0x7B]] as [[UInt8]])
    func waitsForMore(bytes: [UInt8]) throws {
        var decoder = Self.decoder(bytes)
        #expect(try decoder.next() == nil)
        #expect(decoder.pendingBytes == bytes.count)
        if bytes.isEmpty {
            try decoder.finish()
        } else {
            #expect(throws: FrameError.truncated(bytes: bytes.count)) { try decoder.finish() }
        }
    }

    /// A stream of a gigabyte in small pieces: what is held never exceeds a frame and a piece.
    @Test func holdsLittle() throws {
        var piece = ByteBuffer()
        let frame = FrameCodecTests.output(bytes: 1_000)
        for _ in 0..<64 { try frame.encode(into: &piece) }
        var (decoder, count) = (FrameDecoder(), 0)
        // Each round leaves a part of a frame behind, so the buffer is never empty when the next one comes.
        decoder.append(try #require(piece.getSlice(at: 0, length: 500)))
        let rest = try #require(piece.getSlice(at: 500, length: piece.readableBytes - 500))
        for _ in 0..<200 {
            decoder.append(rest)
            decoder.append(try #require(piece.getSlice(at: 0, length: 500)))
            while let next = try decoder.next() {
                if next == frame { count += 1 }
            }
            #expect(decoder.pendingBytes == 500)
        }
        #expect(count == 200 * 64)
    }

    /// Random mutations of real streams, in random pieces: frames or an error come out, and never more bytes than
    /// went in.
    @Test(arguments: 0..<5 as Range<UInt64>) func neverTraps(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        var stream = ByteBuffer()
        for frame in FrameCodecTests.frames.dropLast() { try frame.encode(into: &stream) }
        let original = Array(stream.readableBytesView)
        for _ in 0..<10_000 {
            let bytes = mutate(original, using: &generator)
            var (decoder, rest, taken) = (FrameDecoder(), bytes[...], 0)
            do {
                while !rest.isEmpty {
                    let size = Int.random(in: 1...64, using: &generator)
                    decoder.append(ByteBuffer(bytes: rest.prefix(size)))
                    rest = rest.dropFirst(size)
                    while let frame = try decoder.next() {
                        var again = ByteBuffer()
                        try frame.encode(into: &again)
                        taken += again.readableBytes
                    }
                }
                guard taken + decoder.pendingBytes != bytes.count else { continue }
                Issue.record("\(bytes) became \(taken) bytes of frames, seed \(seed)")
            } catch {
                guard taken > bytes.count else { continue }
                Issue.record("\(taken) bytes of frames came out of \(bytes), seed \(seed)")
            }
        }
    }
}
