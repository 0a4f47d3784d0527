import Crypto

/// Random secrets and the digests that stand for them.
enum Secret {
    /// Bytes of a bearer token's random part.
    static let tokenBytes = 32

    /// Random bytes from the system's generator, as hexadecimal digits.
    static func random(bytes: Int) -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<bytes).map { _ in hexByte(UInt8.random(in: .min ... .max, using: &generator)) }.joined()
    }

    /// A new bearer token. The prefix lets scanners of leaked secrets recognise it.
    static func token() -> String { "sandpool_\(random(bytes: tokenBytes))" }

    /// What is stored of a token. A plain digest suffices: nobody can guess 256 random bits, and looking a
    /// digest up reveals nothing by its timing about the token that made it.
    static func hash(_ token: some StringProtocol) -> String { SHA256.hash(data: Array(token.utf8)).hexText }
}

extension Digest {
    /// The digest as lower-case hexadecimal digits.
    var hexText: String { map(hexByte).joined() }
}

private let hexDigits = Array("0123456789abcdef")

private func hexByte(_ byte: UInt8) -> String { String([hexDigits[Int(byte >> 4)], hexDigits[Int(byte & 15)]]) }
