/// Runs what the core must not wait for (fetching, building, uploading) as children of the worker's own task.
///
/// Bounded by its callers: at most one piece of work for each attempt.
final class BackgroundWork: Sendable {
    private let pieces: AsyncStream<@Sendable () async -> Void>
    private let feed: AsyncStream<@Sendable () async -> Void>.Continuation

    init() { (pieces, feed) = AsyncStream.makeStream() }

    func add(_ piece: @escaping @Sendable () async -> Void) { feed.yield(piece) }

    /// Runs pieces until the task is cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            for await piece in pieces { group.addTask { await piece() } }
            group.cancelAll()
        }
    }
}
