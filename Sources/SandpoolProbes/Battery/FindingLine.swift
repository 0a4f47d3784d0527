/// One line of the probe program's output.
enum FindingLine {
    static func text(_ probe: Probe, _ outcome: Outcome) -> String {
        "{\"probe\":\(quoted(probe.name)),\"topic\":\(quoted(probe.topic.rawValue)),"
            + "\"result\":\(quoted(outcome.word)),\"detail\":\(quoted(outcome.detail))}"
    }

    /// A JSON string (RFC 8259, section 7), without any library.
    private static func quoted(_ text: String) -> String {
        var line = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": line += "\\\""
            case "\\": line += "\\\\"
            case _ where scalar.value < 0x20 || scalar.value == 0x7f: line += "?"
            default: line.unicodeScalars.append(scalar)
            }
        }
        return line + "\""
    }
}
