/// Any key of a JSON object, known or not.
struct AnyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

extension Decoder {
    /// A container that holds no key but those of `Key`.
    ///
    /// - Throws: `SpecProblem` that names the first unknown key in alphabetical order and, when one is near,
    ///   the key that was meant. An ignored key would be a limit or a policy that silently does not hold.
    public func strictContainer<Key: CodingKey & CaseIterable>(keyedBy type: Key.Type) throws
        -> KeyedDecodingContainer<Key>
    {
        let unknown = try container(keyedBy: AnyKey.self).allKeys.map(\.stringValue)
            .filter { Key(stringValue: $0) == nil }
            .min()
        if let unknown {
            throw SpecProblem.unknownKey(
                unknown, at: keyPath(codingPath), known: Key.allCases.map(\.stringValue))
        }
        return try container(keyedBy: type)
    }
}

/// A coding path as people write it: `mounts[2].path`.
///
/// What stands before the payload of an enum's case (`submit._0`) is the envelope's business and left out.
public func keyPath(_ path: [any CodingKey]) -> String {
    let start = path.lastIndex { $0.stringValue == "_0" }.map { $0 + 1 } ?? 0
    var text = ""
    for key in path[start...] {
        if let index = key.intValue {
            text += "[\(index)]"
        } else {
            text += text.isEmpty ? key.stringValue : ".\(key.stringValue)"
        }
    }
    return text
}
