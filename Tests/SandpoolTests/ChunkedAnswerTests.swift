import Testing

@testable import Sandpool

@Suite struct ChunkedAnswerTests {
    private static let answer = Array(
        "HTTP/1.1 200 OK\r\nDate: now\r\n\r\n5\r\nhello\r\nB;x=y\r\n, you there\r\n0\r\n\r\n".utf8)

    @Test(arguments: [1, 2, 3, 7, 1_000]) func readsPiecesOfAnySize(size: Int) throws {
        var reader = ChunkedAnswer()
        var body: [UInt8] = []
        for start in stride(from: 0, to: Self.answer.count, by: size) {
            body += try reader.take(Self.answer[start..<min(start + size, Self.answer.count)])
        }
        #expect(String(decoding: body, as: UTF8.self) == "hello, you there")
        #expect(reader.status == 200)
        #expect(reader.hasEnded)
    }

    @Test(arguments: [
        "SSH-2.0-OpenSSH\r\n", "HTTP/1.1 nine\r\n", "HTTP/1.1 200 OK\r\n\r\n-5\r\n", "HTTP/1.1 200 OK\r\n\r\nxyz\r\n",
        "HTTP/1.1 200 OK\r\n\r\nFFFFFFFFFFFF\r\n", "HTTP/1.1 200 OK\r\n\r\n1\r\nab\r\n",
        "HTTP/1.1 200 OK\r\n\r\n" + String(repeating: "0", count: 100),
        "HTTP/1.1 200 OK\r\nx: " + String(repeating: "y", count: 70_000),
    ])
    func refusesWhatIsNoSuchAnswer(text: String) {
        #expect(throws: ChunkedAnswer.Unreadable.self) {
            var reader = ChunkedAnswer()
            _ = try reader.take(Array(text.utf8))
        }
    }
}
