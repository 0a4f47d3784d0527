/// Names that people give to jobs and workers.
public enum ResourceName {
    /// Most bytes of a name; also the bound of a label of a host name (RFC 1035).
    public static let longest = 63

    /// Throws unless `text` is 1 to 63 letters, digits, `.`, `_` and `-`, beginning with a letter or digit, and
    /// could not be taken for an id.
    public static func check(_ text: String) throws(ValueProblem) {
        let bytes = text.utf8
        let fits = (1...longest).contains(bytes.count) && bytes.first?.isASCIIAlphanumeric == true
        guard fits, bytes.allSatisfy({ $0.isASCIIAlphanumeric || $0.isOne(of: "._-") }) else {
            throw ValueProblem(
                text, isNot: "a name",
                hint: "use 1 to \(longest) letters, digits, '.', '_' and '-', beginning with a letter or digit")
        }
        guard ULID(text.suffix(ULID.length).lowercased()) == nil else {
            throw ValueProblem(text, isNot: "a name, as it reads like an id", hint: "choose another")
        }
    }
}

/// Names of environment variables.
public enum EnvironmentName {
    public static let longest = 255

    /// Throws unless `text` can stand before the `=` of an entry of `environ` (environ(7)).
    public static func check(_ text: String) throws(ValueProblem) {
        let isUsable = text.utf8.allSatisfy { !$0.isASCIIControl && $0 != UInt8(ascii: "=") }
        guard (1...longest).contains(text.utf8.count), isUsable else {
            throw ValueProblem(
                text, isNot: "the name of a variable",
                hint: "use 1 to \(longest) bytes without '=' and control characters")
        }
    }
}

/// Users inside a sandbox.
public enum UserName {
    /// Throws unless `text` is a name that `/etc/passwd` could hold (useradd(8)) or a uid 0–65535.
    public static func check(_ text: String) throws(ValueProblem) {
        let problem = ValueProblem(
            text, isNot: "a user", hint: "use a name that the image's /etc/passwd has, or a uid from 0 to 65535")
        guard let first = text.utf8.first, text.utf8.count <= 32 else { throw problem }
        if first.isASCIIDigit {
            guard text.utf8.allSatisfy(\.isASCIIDigit), UInt16(text) != nil else { throw problem }
        } else {
            guard first.isASCIIAlphanumeric || first == UInt8(ascii: "_"),
                text.utf8.allSatisfy({ $0.isASCIIAlphanumeric || $0.isOne(of: "._-") })
            else { throw problem }
        }
    }
}
