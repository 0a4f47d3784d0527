/// `/etc/passwd` and `/etc/group` of the host, reduced to what programs look up: root, nobody and the system
/// accounts. People who have an account on the host do not show in a sandbox.
enum AccountFile {
    static func systemEntries(of text: String) -> String {
        var lines: [Substring] = []
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            guard fields.count >= 4, let number = UInt32(fields[2]) else { continue }
            if number < 1_000 || number == 65_534 { lines.append(line) }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
