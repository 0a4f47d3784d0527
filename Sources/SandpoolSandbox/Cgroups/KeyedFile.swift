/// A cgroup file of `key value` lines.
struct KeyedFile {
    private let lines: [Substring.UTF8View]

    init(_ text: String) { lines = text.utf8.split(separator: UInt8(ascii: "\n")) }

    /// Nil where there is no such key, or its value is no number.
    subscript(key: String) -> UInt64? {
        let start = "\(key) ".utf8
        guard let line = lines.first(where: { $0.starts(with: start) }) else { return nil }
        return UInt64(Substring(line.dropFirst(start.count)))
    }
}
