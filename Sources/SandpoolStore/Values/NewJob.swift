import SandpoolModel

/// A job to store. Its spec is complete: every default is filled in.
public struct NewJob: Hashable, Sendable {
    public var id: JobID
    public var spec: JobSpec
    /// What it takes of a worker's capacity.
    public var resources: Resources
    /// A digest of what the user asked for, compared where `spec.idempotencyKey` is set. At most 128 bytes.
    public var fingerprint: String

    public init(id: JobID, spec: JobSpec, resources: Resources, fingerprint: String) {
        self.id = id
        self.spec = spec
        self.resources = resources
        self.fingerprint = fingerprint
    }
}

/// What became of an array of jobs.
public enum SubmitOutcome: Hashable, Sendable {
    /// All are stored; one entry for each, in order.
    case stored([SubmittedJob])
    /// None is stored: the idempotency key of the job at `index` belongs to `existing`, with another spec.
    case conflict(index: Int, existing: JobID)
}

public struct SubmittedJob: Hashable, Sendable {
    /// The new job's id, or that of the job that has the same idempotency key and fingerprint.
    public var id: JobID
    public var isNew: Bool

    public init(id: JobID, isNew: Bool) {
        self.id = id
        self.isNew = isNew
    }
}
