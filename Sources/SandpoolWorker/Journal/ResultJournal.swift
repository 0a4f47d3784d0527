import Dispatch
import Glibc
import LinuxSystem
import NIOConcurrencyHelpers
import SandpoolAPI
import SandpoolModel

/// The append-only file of results that the coordinator has not taken yet.
///
/// Group commit: at once when idle, and what arrives during a write goes into the next one, with one
/// fdatasync(2) each. Calls return at once; the file is touched on a queue of its own.
final class ResultJournal: Sendable {
    private struct Entry {
        var record: JournalRecord
        var done: (@Sendable (WorkerError?) -> Void)?
    }

    private struct Inbox {
        var entries: [Entry] = []
        var isScheduled = false
    }

    private let path: String
    private let queue = DispatchQueue(label: "sandpool.worker.journal")
    private let inbox = NIOLockedValueBox(Inbox())
    private let file: NIOLockedValueBox<JournalFile>

    /// Opens or makes the journal, replays it, and cuts off what a crash left half-written.
    ///
    /// - Returns: the journal and the results that were not settled, oldest first.
    static func open(path: String) throws -> (journal: ResultJournal, pending: [AttemptResult], skippedBytes: Int) {
        let (file, skippedBytes) = try JournalFile.open(path: path)
        return (ResultJournal(path: path, file: file), file.pendingResults, skippedBytes)
    }

    private init(path: String, file: JournalFile) {
        self.path = path
        self.file = NIOLockedValueBox(file)
    }

    /// Writes a result; `done` is called on an unspecified thread once it is on disk, or with the reason why it
    /// is not.
    func append(_ result: AttemptResult, done: @escaping @Sendable (WorkerError?) -> Void) {
        add(Entry(record: .result(result), done: done))
    }

    /// Notes that a result needs to be kept no more. Losing this note costs a repeated report, nothing else, so
    /// nobody waits for it.
    func settle(_ lease: AttemptLease) { add(Entry(record: .settled(lease), done: nil)) }

    /// Returns once everything that was added before is on disk.
    func flush() { queue.sync { writeAll() } }

    private func add(_ entry: Entry) {
        let mustSchedule = inbox.withLockedValue { inbox in
            inbox.entries.append(entry)
            defer { inbox.isScheduled = true }
            return !inbox.isScheduled
        }
        if mustSchedule { queue.async { [self] in writeAll() } }
    }

    private func writeAll() {
        while true {
            let entries = inbox.withLockedValue { inbox in
                defer { inbox.entries = [] }
                inbox.isScheduled = !inbox.entries.isEmpty
                return inbox.entries
            }
            if entries.isEmpty { return }
            let failure = write(entries.map(\.record), durably: entries.contains { $0.done != nil })
            for entry in entries { entry.done?(failure) }
        }
    }

    private func write(_ records: [JournalRecord], durably: Bool) -> WorkerError? {
        do {
            try file.withLockedValue { try $0.append(records, durably: durably) }
            return nil
        } catch {
            return WorkerError("the journal \(path) cannot be written: \(error); make room on its disk")
        }
    }
}
