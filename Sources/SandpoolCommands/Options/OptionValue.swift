import ArgumentParser
import SandpoolModel

/// Values of options, read by the model's parsers, whose one-line problems the parser shows as they are.
enum OptionValue {
    static func size(_ text: String) throws -> Int64 { try ByteSize.parse(text) }

    /// Seconds.
    static func duration(_ text: String) throws -> Double {
        Double(try DurationText.parse(text).wholeMilliseconds) / 1_000
    }

    /// A moment, as it was written: how long ago is the coordinator's clock's affair.
    static func moment(_ text: String) throws -> String {
        _ = try MomentText.parse(text, now: Timestamp(milliseconds: 0))
        return text
    }

    static func label(_ text: String) throws -> Label { try Label(parsing: text) }

    static func positive(_ text: String) throws -> Double {
        guard let number = Double(text), number.isFinite, number > 0 else {
            throw ValidationError("it is not a number above 0, such as 0.5 or 2")
        }
        return number
    }

    static func count(_ text: String) throws -> Int {
        guard let number = Int(text), number > 0 else { throw ValidationError("it is not a whole number above 0") }
        return number
    }

    /// Pairs as a dictionary; of two with one key the later one holds.
    static func dictionary(_ labels: [Label]) -> [String: String] {
        Dictionary(labels.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
    }
}

extension DisconnectPolicy: ExpressibleByArgument {
    public static var allValueStrings: [String] { [cancel, detach].map(\.rawValue) }
}

extension OutputLimitPolicy: ExpressibleByArgument {
    public static var allValueStrings: [String] { [truncate, end].map(\.rawValue) }
}

extension RerunPolicy: ExpressibleByArgument {
    public static var allValueStrings: [String] { [safe, never].map(\.rawValue) }
}

extension JobState: ExpressibleByArgument {}
extension TokenRole: ExpressibleByArgument {}
