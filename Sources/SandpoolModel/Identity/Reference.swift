/// How a person names a thing: `@last`, a whole id, a name, or the end of an id.
///
/// A beginning of an id is no reference: ids begin with their time, so everything made in the same minutes
/// begins alike.
public enum Reference<Kind: IdentifierKind>: Hashable, Sendable {
    /// The newest one.
    case last
    case id(Identifier<Kind>)
    /// Look for the name first; where nothing has it, for the one id that ends with `suffix`. Two that match are
    /// an error, never a guess.
    case named(String, suffix: String?)

    /// Fewest digits of an id's end that are looked up: 20 bits.
    public static var shortestSuffix: Int { 4 }

    public init(_ text: String) throws(ValueProblem) {
        if text == "@last" {
            self = .last
        } else if text.utf8.allSatisfy({ $0 < 0x80 }), let id = Identifier<Kind>(text.lowercased()) {
            self = .id(id)
        } else {
            do {
                try ResourceName.check(text)
            } catch {
                throw ValueProblem(
                    text, isNot: "a reference",
                    hint: "give an id (\(Kind.prefix)-…), the last digits of one, a name, or @last")
            }
            self = .named(text, suffix: Self.suffix(text))
        }
    }

    private static func suffix(_ text: String) -> String? {
        let digits = text.lowercased()
        guard (shortestSuffix...ULID.length).contains(digits.utf8.count), ULID.isDigits(digits) else { return nil }
        return digits
    }
}

public typealias JobReference = Reference<JobKind>
public typealias WorkerReference = Reference<WorkerKind>
