/// What an identifier names; its `prefix` is the part before the dash.
public protocol IdentifierKind: Sendable {
    static var prefix: String { get }
}

/// A typed id of the form `PREFIX-ULID`, such as `sb-01jd8…`.
///
/// The kind is a phantom type: a job's id cannot be passed where a worker's is expected.
public struct Identifier<Kind: IdentifierKind>: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The whole text, prefix included. At most 64 characters of `[a-z0-9-]`.
    public let text: String

    /// Makes a new id for a moment.
    ///
    /// - Parameter milliseconds: milliseconds since the Unix epoch.
    public init(milliseconds: UInt64, using generator: inout some RandomNumberGenerator) {
        text = "\(Kind.prefix)-\(ULID(milliseconds: milliseconds, using: &generator).text)"
    }

    /// Makes a new id for a moment from the system's random source.
    public static func make(at moment: Timestamp) -> Self {
        var generator = SystemRandomNumberGenerator()
        return Self(milliseconds: UInt64(clamping: moment.milliseconds), using: &generator)
    }

    /// Parses a whole id; `nil` when the prefix or the digits are wrong.
    public init?(_ text: String) {
        let prefix = Kind.prefix + "-"
        guard text.hasPrefix(prefix), ULID(text.dropFirst(prefix.count)) != nil else { return nil }
        self.text = text
    }

    /// The last eight digits: what listings show, and enough to name the thing on the command line.
    public var short: String { String(text.suffix(8)) }

    /// When it was made, by the clock of who made it.
    public var madeAt: Timestamp {
        Timestamp(milliseconds: ULID(text.dropFirst(Kind.prefix.count + 1))?.milliseconds ?? 0)
    }

    public var description: String { text }

    public static func < (left: Self, right: Self) -> Bool { left.text < right.text }
}

/// Whether `text` may be an id of any kind, `[a-z0-9-]{1,64}`: fit for a file name, a cgroup and an interface's
/// alternative name.
public func isIdentifierText(_ text: String) -> Bool {
    (1...64).contains(text.utf8.count)
        && text.utf8.allSatisfy { $0.isASCIILower || $0.isASCIIDigit || $0 == UInt8(ascii: "-") }
}

extension Identifier: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let identifier = Self(text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "not an id of the form \(Kind.prefix)-ULID")
        }
        self = identifier
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}

public enum JobKind: IdentifierKind { public static let prefix = "sb" }
public enum AttemptKind: IdentifierKind { public static let prefix = "at" }
public enum ExecKind: IdentifierKind { public static let prefix = "ex" }
public enum WorkerKind: IdentifierKind { public static let prefix = "wk" }
public enum ImageKind: IdentifierKind { public static let prefix = "im" }
public enum TokenKind: IdentifierKind { public static let prefix = "tk" }

public typealias JobID = Identifier<JobKind>
public typealias AttemptID = Identifier<AttemptKind>
public typealias ExecID = Identifier<ExecKind>
public typealias WorkerID = Identifier<WorkerKind>
public typealias ImageID = Identifier<ImageKind>
public typealias TokenID = Identifier<TokenKind>
