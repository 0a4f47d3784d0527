import FoundationEssentials
import SandpoolAPI

/// JSON for stdout and files.
enum JSONText {
    /// One line, for lists and programs.
    static func line(_ value: some Encodable) throws -> String { try WireJSON.text(value) }

    /// Indented, for one thing that a person may read.
    static func pretty(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}
