/// One thing that is not as it must be, in what a coordinator keeps.
public struct CheckFinding: Codable, Hashable, Sendable {
    /// Which promise is broken.
    public enum Kind: String, Codable, Hashable, Sendable, CaseIterable {
        /// SQLite finds the file itself damaged, or a row that no program of ours writes.
        case damaged
        /// A row names another one that is not there.
        case reference
        /// The columns of a job say something else than its spec.
        case spec
        /// A job or an attempt is over and has no end, or has an end and is not over.
        case ending
        /// The job's state does not follow from its spec and its attempts.
        case state
        /// More than one result was recorded.
        case result
        /// The epochs of a job's attempts are not 1, 2, 3 … up to the job's own.
        case epoch
        /// Two attempts ran at a time, or one began that the retry policy does not allow.
        case overlap
        /// What was counted of retries does not follow from the attempts.
        case retries
        /// An attempt's moments are not in their order.
        case time
        /// A live attempt's lease names a worker that was never enrolled.
        case lease
        /// Output that was acknowledged is not there, or more than there was.
        case output
        /// A blob that a job needs is not there.
        case blob
        /// A file that belongs to nothing.
        case orphan
    }

    public var kind: Kind
    /// The job, the attempt or the file.
    public var place: String
    public var what: String
    /// What to do about it.
    public var remedy: String

    public init(_ kind: Kind, at place: String, _ what: String, remedy: String) {
        self.kind = kind
        self.place = place
        self.what = what
        self.remedy = remedy
    }
}

extension CheckFinding: CustomStringConvertible {
    /// One line for people.
    public var description: String { "\(place): \(what); \(remedy)" }
}
