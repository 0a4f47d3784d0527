import Glibc
import NIOCore
import NIOPosix
import SandpoolAPI
import SandpoolModel
import Synchronization

/// Output that does not ride inside a result: one append-only file for each stream of an attempt, at
/// `output/<2 digits>/<job>/<attempt>.stdout`.
///
/// Bytes are placed by offset, so a repeated frame changes nothing, and one that would leave a hole is refused.
/// Nothing is acknowledged before `syncDirty` has made it durable. When the bytes arrived is in an `ArrivalIndex`
/// beside each file.
final class OutputStore: Sendable {
    /// A stream that is on the disk up to `end`.
    struct Synced: Hashable, Sendable {
        var stream: OutputStreamID
        var end: Int64
    }

    private struct Segment: Sendable {
        var file: SegmentFile
        var end: Int64
        var durable: Int64
        /// Whether the file's name is known to be durable too.
        var isNamed: Bool
        /// Absent where the disk had no room for it: the output itself counts for more.
        var arrivals: ArrivalIndex?
    }

    private struct State: Sendable {
        var segments: [OutputStreamID: Segment] = [:]
        var dirty: Set<OutputStreamID> = []
        var syncing: Set<OutputStreamID> = []

        /// Whether the stream's file may be closed to make room for others.
        func isAtRest(_ stream: OutputStreamID) -> Bool {
            !dirty.contains(stream) && !syncing.contains(stream) && segments[stream]?.file.isClosed != true
        }
    }

    /// Most files kept open beyond those with unsynced bytes.
    private static let openFiles = 256

    let paths: OutputPaths
    let pool: NIOThreadPool
    private let clock: any CoordinatorClock
    private let state = Mutex(State())
    /// Raised when there is something to sync.
    let dirtySignal = Signal()

    init(root: String, pool: NIOThreadPool, clock: any CoordinatorClock) {
        paths = OutputPaths(root: root)
        self.pool = pool
        self.clock = clock
    }

    /// Places bytes of a stream. Calls for one stream must not overlap.
    func append(_ stream: OutputStreamID, offset: Int64, _ bytes: ByteBuffer) async throws -> OutputAppended {
        let segment = try await segment(of: stream)
        let end = offset + Int64(bytes.readableBytes)
        if offset > segment.end { return .gap(end: segment.end) }
        if end <= segment.end { return .repeated(end: segment.end) }
        var fresh = bytes
        fresh.moveReaderIndex(forwardBy: Int(segment.end - offset))
        let unwritten = fresh
        let moment = clock.now
        let arrivals = try await pool.runIfActive {
            try segment.file.write(unwritten, at: segment.end)
            var arrivals = segment.arrivals
            arrivals?.note(segment.end, at: moment)
            return arrivals
        }
        try state.withLock { state throws(FileError) in
            try segment.file.checkOpen("fdatasync")
            // It may have been closed meanwhile to make room for others, and opened again.
            var current = state.segments[stream] ?? segment
            current.end = max(current.end, end)
            current.arrivals = arrivals
            state.segments[stream] = current
            state.dirty.insert(stream)
        }
        dirtySignal.raise()
        return .stored(end: end)
    }

    /// Makes everything appended so far durable and says what became so. A stream whose sync fails is cut back
    /// to what is durable, because the kernel may have dropped its pages, and is missing from the answer.
    func syncDirty() async throws -> (synced: [Synced], failed: [OutputStreamID: FileError]) {
        let work = state.withLock { state in
            let work = state.dirty.compactMap { stream in state.segments[stream].map { (stream, $0) } }
            state.dirty = []
            return work
        }
        var synced: [Synced] = []
        var failed: [OutputStreamID: FileError] = [:]
        for (stream, segment) in work {
            do {
                try await sync(stream, segment)
                synced.append(Synced(stream: stream, end: segment.end))
            } catch let error as FileError {
                failed[stream] = error
            }
        }
        return (synced, failed)
    }

    /// Makes all of one stream durable and returns its length; 0 where nothing was stored.
    @discardableResult
    func flush(_ stream: OutputStreamID) async throws -> Int64 {
        let open = state.withLock { $0.segments[stream] }
        guard open != nil || PosixFile.exists(paths.file(of: stream)) else { return 0 }
        let segment = try await segment(of: stream)
        guard segment.durable < segment.end else { return segment.end }
        try await sync(stream, segment)
        return segment.end
    }

    /// Makes a stream durable as it is in `segment`, its name included.
    ///
    /// - Throws: `FileError`, and then the stream was cut back to what is durable.
    private func sync(_ stream: OutputStreamID, _ segment: Segment) async throws {
        let folders = segment.isNamed ? [] : folders(of: stream)
        state.withLock { _ = $0.syncing.insert(stream) }
        defer { state.withLock { _ = $0.syncing.remove(stream) } }
        do {
            try await pool.runIfActive { try segment.file.sync(folders) }
        } catch let error as FileError {
            try await discard(stream, segment)
            throw error
        }
        try state.withLock { state throws(FileError) in
            // One after it failed, and the file is cut to what was durable then.
            try segment.file.checkOpen("fdatasync")
            guard let durable = state.segments[stream]?.durable else { return }
            state.segments[stream]?.durable = max(durable, segment.end)
            state.segments[stream]?.isNamed = true
        }
    }

    /// How much of a stream can be read; 0 where nothing was stored.
    func end(of stream: OutputStreamID) async throws -> Int64 {
        if let segment = state.withLock({ $0.segments[stream] }) { return segment.end }
        let path = paths.file(of: stream)
        return try await pool.runIfActive {
            guard PosixFile.exists(path) else { return 0 }
            return try PosixFile(path: path, flags: O_RDONLY).size()
        }
    }

    /// Reads at most `limit` bytes; empty at the end.
    func read(_ stream: OutputStreamID, offset: Int64, limit: Int) async throws -> ByteBuffer {
        let open = state.withLock { $0.segments[stream]?.file.file }
        let path = paths.file(of: stream)
        return try await pool.runIfActive {
            if let open { return try open.read(at: offset, limit: limit) }
            guard PosixFile.exists(path) else { return ByteBuffer() }
            return try PosixFile(path: path, flags: O_RDONLY).read(at: offset, limit: limit)
        }
    }

    /// Closes the files of jobs that go.
    func forget(_ jobs: Set<JobID>) {
        state.withLock { state in
            state.segments = state.segments.filter { !jobs.contains($0.key.job) }
            state.dirty = state.dirty.filter { !jobs.contains($0.job) }
        }
    }

    // MARK: Files

    /// Those that a stream's name needs, from the root on.
    private func folders(of stream: OutputStreamID) -> [String] {
        [paths.root, paths.shelf(of: stream.job), paths.folder(of: stream.job)]
    }

    func arrivalsPath(of stream: OutputStreamID) -> String { paths.times(of: stream) }

    private func segment(of stream: OutputStreamID) async throws -> Segment {
        if let segment = state.withLock({ $0.segments[stream] }) {
            guard segment.file.isClosed else { return segment }
            try await discard(stream, segment)
        }
        let (folders, path, times) = (folders(of: stream), paths.file(of: stream), arrivalsPath(of: stream))
        let opened = try await pool.runIfActive {
            for folder in folders.dropFirst() { try PosixFile.makeDirectory(folder) }
            let file = try PosixFile(path: path, flags: O_RDWR | O_CREAT)
            let end = try file.size()
            // What an earlier process or an earlier opening wrote may not have reached the disk yet, nor its name.
            if end > 0 {
                try file.sync()
                for folder in folders { try PosixFile.syncDirectory(folder) }
            }
            return Segment(
                file: SegmentFile(file), end: end, durable: end, isNamed: end > 0,
                arrivals: try? ArrivalIndex(path: times, end: end))
        }
        return state.withLock { state in
            if let segment = state.segments[stream] { return segment }
            if state.segments.count >= Self.openFiles {
                for stream in state.segments.keys where state.isAtRest(stream) { state.segments[stream] = nil }
            }
            state.segments[stream] = opened
            return opened
        }
    }

    /// Cuts a stream whose sync failed back to what is durable. Until that is done its file stays in the table, so that
    /// nobody opens it anew and takes what will be cut off for stored.
    private func discard(_ stream: OutputStreamID, _ failed: Segment) async throws {
        let segment = state.withLock { state in
            state.segments[stream].flatMap { $0.file === failed.file ? $0 : nil } ?? failed
        }
        try await pool.runIfActive { try segment.file.cut(to: segment.durable) }
        state.withLock { state in
            guard state.segments[stream]?.file === segment.file else { return }
            state.segments[stream] = nil
            state.dirty.remove(stream)
        }
    }
}
