import GRDB

/// A write that waits for its transaction.
struct QueuedWrite: Sendable {
    /// Changes the database and returns what tells the caller, to be called after COMMIT. Run again in a
    /// transaction of its own where the shared one failed.
    let run: @Sendable (Database) throws -> @Sendable () -> Void
    /// Tells the caller that nothing was stored.
    let fail: @Sendable (any Error) -> Void
}
