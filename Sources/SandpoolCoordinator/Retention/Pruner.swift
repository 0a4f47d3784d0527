import Logging
import NIOCore
import SandpoolModel
import SandpoolStore

/// Removes finished jobs, and what only they used, as `Retention` says.
///
/// Rows go first, a few jobs in a transaction, and their files follow; a crash between leaves files that belong to
/// nothing, which the next start removes. After each batch the others have the database for as long as it took.
final class Pruner: Sendable {
    /// What has gone.
    struct Pruned: Hashable, Sendable {
        var jobs = 0
        var bytes: Int64 = 0
    }

    let archive: any JobArchive
    let output: OutputStore
    let blobs: BlobStore
    let holds: JobHolds
    let clock: any CoordinatorClock
    let retention: Retention
    let logger: Logger
    let signal = Signal()
    private let alarm: Alarm

    /// Jobs that go in one transaction: a few milliseconds.
    static let batch = 50
    /// Jobs that are measured at a time.
    private static let page = 1_000
    /// Between looks. Where there is a bound on the size, a look costs a pass over the ended jobs.
    private static let interval = Duration.seconds(60)
    /// A blob that lost its last job is spared for so many seconds after it was last asked for.
    private static let blobGrace = 3_600

    init(
        archive: any JobArchive, output: OutputStore, blobs: BlobStore, holds: JobHolds, clock: any CoordinatorClock,
        retention: Retention, eventLoop: any EventLoop, logger: Logger
    ) {
        self.archive = archive
        self.output = output
        self.blobs = blobs
        self.holds = holds
        self.clock = clock
        self.retention = retention
        self.logger = logger
        alarm = Alarm(signal: signal, clock: clock, eventLoop: eventLoop)
        signal.raise()
    }

    func stop() { signal.close() }

    func run() async {
        await sweep()
        var goal: Timestamp?
        var total = Pruned()
        while await signal.wait() {
            let begun = clock.uptime
            do {
                if goal == nil { goal = try await horizon() }
                if let moment = goal {
                    let pruned = try await prune(endedBy: moment)
                    total.jobs += pruned.jobs
                    total.bytes += pruned.bytes
                    if pruned.jobs < Self.batch { goal = nil }
                }
            } catch {
                guard !Task.isCancelled, !signal.isClosed else { return }
                logger.error("old jobs stay for another minute: \(error)")
                goal = nil
            }
            let now = clock.uptime
            alarm.set(now + (goal == nil ? Self.interval : now - begun))
            if goal == nil, total.jobs > 0 {
                logger.info("old jobs removed", metadata: ["jobs": "\(total.jobs)", "bytes": "\(total.bytes)"])
                total = Pruned()
            }
        }
    }

    /// Removes a batch of the jobs that ended at or before a moment; fewer than a batch where there are no more that
    /// nobody reads.
    func prune(endedBy moment: Timestamp) async throws -> Pruned {
        let oldest = try await archive.endedJobs(by: moment, limit: min(Self.batch + holds.count, StoreLimits.page))
        let jobs = holds.takeAway(oldest.map(\.id), limit: Self.batch)
        defer { holds.giveBack(jobs) }
        guard !jobs.isEmpty else { return Pruned() }
        let pruned = try await archive.prune(jobs)
        var bytes = try await output.remove(pruned.jobs)
        bytes += try await blobs.remove(
            pruned.blobs, notChangedFor: Self.blobGrace, now: Int(clock.now.milliseconds / 1_000))
        return Pruned(jobs: pruned.jobs.count, bytes: bytes)
    }

    // MARK: What is to go

    /// The moment such that jobs that ended at or before it go; `nil` where all may stay.
    func horizon() async throws -> Timestamp? {
        let now = clock.now
        let byAge = retention.ageSeconds.map { now.advanced(by: .seconds(-$0)) }
        let bySize = try await moment(keeping: retention.bytes)
        guard let moment = [byAge, bySize].compactMap({ $0 }).max() else { return nil }
        return min(moment, now.advanced(by: .zero - retention.leastAge))
    }

    /// The moment such that what ended after it has at most so many bytes. Where there are more, a tenth goes with the
    /// rest, so that a full pool does not prune for every job that ends.
    private func moment(keeping limit: Int64?) async throws -> Timestamp? {
        guard let limit else { return nil }
        var (total, moment, last): (Int64, Timestamp?, EndedJob?) = (0, nil, nil)
        while !signal.isClosed {
            let jobs = try await archive.endedJobs(before: last, limit: Self.page)
            let files = try await output.sizes(of: jobs.map(\.id))
            for (job, size) in zip(jobs, files) {
                let downloads = job.downloads.isEmpty ? [] : try await blobs.sizes(of: job.downloads)
                total += size + job.tailBytes + downloads.reduce(0, +)
                if moment == nil, total > limit / 10 * 9 { moment = job.endedAt }
            }
            guard jobs.count == Self.page else { break }
            last = jobs.last
        }
        return total > limit ? moment : nil
    }
}
