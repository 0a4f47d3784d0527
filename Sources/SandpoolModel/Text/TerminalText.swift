/// Text from outside made fit for a terminal or a log line.
public enum TerminalText {
    /// `text` with everything that a terminal would act on written out as `\u{…}`.
    ///
    /// That is C0 (newline and tab too: the result is one line), DEL, C1, and the characters that reorder or
    /// hide text: bidirectional controls (Unicode TR 9), zero-width characters, line and paragraph
    /// separators, the byte order mark, tags.
    ///
    /// - Parameter limit: most Unicode scalars of `text` that are kept; what is cut off is marked with `…`.
    public static func harmless(_ text: String, limit: Int = 4_096) -> String {
        let scalars = text.unicodeScalars
        let end = scalars.index(scalars.startIndex, offsetBy: limit, limitedBy: scalars.endIndex)
        let kept = scalars[..<(end ?? scalars.endIndex)]
        if kept.endIndex == scalars.endIndex, !kept.contains(where: isActive) { return text }
        var result = ""
        for scalar in kept {
            if isActive(scalar) {
                result += "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return kept.endIndex == scalars.endIndex ? result : result + "…"
    }

    /// Whether a terminal would do something with the scalar other than show it.
    private static func isActive(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x00...0x1F, 0x7F...0x9F: true
        case 0x061C, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F: true
        case 0xFEFF, 0xFFF9...0xFFFB, 0xE0000...0xE007F: true
        default: false
        }
    }
}
