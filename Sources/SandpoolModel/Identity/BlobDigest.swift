/// Names of uploaded data by its content.
public enum BlobDigest {
    /// Whether `text` is `sha256:` and 64 lower-case hexadecimal digits.
    public static func isWellFormed(_ text: String) -> Bool {
        let digits = text.utf8.dropFirst(7)
        return text.utf8.starts(with: "sha256:".utf8) && digits.count == 64
            && digits.allSatisfy { $0.isASCIIDigit || $0.isOne(of: "abcdef") }
    }
}
