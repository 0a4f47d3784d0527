/// Which project ids one launcher takes for its sandboxes: a range of 65,536 that follows from where its data is, above
/// what people give out by hand (projid(5)) and below 2^31. An id is not taken again before all others were, but for
/// those that were leapt over.
///
/// Two launchers may have the same range: there are more places than ranges, and one path can be two places. Each finds
/// out what the other has when it asks for an id's record, and goes on to another id.
struct ProjectIDs {
    static let count: UInt32 = 1 << 16
    private static let first: UInt32 = 1 << 30
    private static let ranges: UInt32 = 1 << 14
    /// Of every launcher.
    static let all = first..<first + ranges * count
    /// A prime, so that leaps come to every id.
    private static let leap: UInt32 = 1_021

    let base: UInt32
    private var next: UInt32 = 0
    /// Those with a directory, also one that is being removed.
    private var taken: Set<UInt32> = []

    init(dataDirectory: String) {
        var hash = FowlerNollVoHash()
        hash.combine("projects of \(dataDirectory)")
        base = Self.first + UInt32(hash.number % UInt64(Self.ranges)) * Self.count
    }

    /// Nil when all are taken.
    mutating func take() -> UInt32? {
        for _ in 0..<Self.count {
            let id = base + next
            next = (next + 1) % Self.count
            if taken.insert(id).inserted { return id }
        }
        return nil
    }

    /// For one that turned out to be somebody else's: it may be the first of a long run of his.
    mutating func leap(from id: UInt32) {
        taken.remove(id)
        next = (id - base + Self.leap) % Self.count
    }

    /// One that an earlier launcher left behind, also of another range.
    mutating func keepFrom(_ id: UInt32) { taken.insert(id) }

    mutating func giveBack(_ id: UInt32) { taken.remove(id) }
}
