import NIOCore
import SandpoolAPI
import Testing

@Suite struct OutputTailTests {
    @Test(arguments: [0, 1, 2, 3, 255, AttemptResult.inlineLimit])
    func bytesComeBackAsTheyWere(count: Int) {
        let bytes = ByteBuffer(bytes: (0..<count).map { UInt8(truncatingIfNeeded: $0 * 7) })
        let tail = OutputTail(offset: 11, bytes: bytes)
        #expect(tail.bytes == bytes)
        #expect(tail.offset == 11)
    }

    /// The test vectors of RFC 4648, section 10.
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ])
    func base64IsTheOneOfRFC4648(text: String, base64: String) {
        #expect(OutputTail(offset: 0, bytes: ByteBuffer(string: text)).base64 == base64)
        #expect(OutputTail(offset: 0, base64: base64).bytes == ByteBuffer(string: text))
    }

    @Test func whatIsTooLongIsNoTail() {
        let long = ByteBuffer(repeating: 0, count: AttemptResult.inlineLimit + 1)
        #expect(OutputTail(offset: 0, bytes: long).bytes == nil)
    }

    @Test(arguments: [
        (-1, "Zg=="), (.min, "Zg=="), (.max, "Zg=="), (0, "Zg="), (0, "Z"), (0, "Zg==Zg=="), (0, "Z-_="), (0, "Zg==\n"),
        (0, "\u{0}"), (0, "ä"),
    ] as [(Int64, String)])
    func whatIsNoTailIsNil(offset: Int64, base64: String) {
        #expect(OutputTail(offset: offset, base64: base64).bytes == nil)
    }
}
