/// A decoder and what has to hold for it, whatever the bytes are.
struct FuzzTarget: Sendable {
    enum Verdict: Equatable, Sendable {
        case accepted
        case refused
        /// What the decoder made of the bytes is wrong, in one line.
        case broken(String)
    }

    let name: String
    /// Below `Sources`: the files whose coverage is reported for this target.
    let sources: [String]
    /// Valid inputs, from which the others are made.
    let seeds: [[UInt8]]
    /// Pieces that a fuzzer would not come upon by itself.
    let words: [String]
    let check: @Sendable ([UInt8]) -> Verdict

    init(
        _ name: String, sources: [String], seeds: [[UInt8]], words: [String] = [],
        check: @escaping @Sendable ([UInt8]) -> Verdict
    ) {
        self.name = name
        self.sources = sources
        self.seeds = seeds
        self.words = words
        self.check = check
    }

    static let all = launcher + forwarder + netlink + session + specs + texts

    /// A target of a binary form that has exactly one encoding of each value, so that what is read is written back
    /// as it was.
    static func canonical<Value>(
        _ name: String, sources: [String], seeds: [[UInt8]], words: [String] = [],
        decode: @escaping @Sendable ([UInt8]) throws -> Value, encode: @escaping @Sendable (Value) -> [UInt8],
        also check: @escaping @Sendable (Value) -> String? = { _ in nil }
    ) -> FuzzTarget {
        FuzzTarget(name, sources: sources, seeds: seeds, words: words) { bytes in
            guard let value = try? decode(bytes) else { return .refused }
            guard encode(value) == bytes else {
                return .broken("\(value) has another encoding than what it was read from")
            }
            return check(value).map(Verdict.broken) ?? .accepted
        }
    }
}
