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
    }

    /// Most files kept open beyond those with unsynced bytes.
    private static let openFiles = 256

    private let root: String
    let pool: NIOThreadPool
    private let clock: any CoordinatorClock
    private let state = Mutex(State())
    /// Raised when there is something to sync.
    let dirtySignal = Signal()

    init(root: String, pool: NIOThreadPool, clock: any CoordinatorClock) {
        self.root = root
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
            guard !segment.file.isCut else {
                throw FileError(operation: "fdatasync", path: segment.file.file.path, code: EIO)
            }
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
        guard open != nil || PosixFile.exists(path(of: stream)) else { return 0 }
        let segment = try await segment(of: stream)
        guard segment.durable < segment.end else { return segment.end }
        try await sync(stream, segment)
        return segment.end
    }

    /// Makes a stream durable as it is in `segment`, its name included.
    ///
    /// - Throws: `FileError`, and then the stream was cut back: a second sync of pages that the kernel could not write
    ///   succeeds without them (fsync(2), "Notes").
    private func sync(_ stream: OutputStreamID, _ segment: Segment) async throws {
        let folders = segment.isNamed ? [] : folders(of: stream)
        do {
            try await pool.runIfActive {
                try segment.file.file.sync()
                for folder in folders { try PosixFile.syncDirectory(folder) }
            }
        } catch let error as FileError {
            try await discard(stream, back: segment)
            throw error
        }
        state.withLock { state in
            guard let durable = state.segments[stream]?.durable else { return }
            state.segments[stream]?.durable = max(durable, segment.end)
            state.segments[stream]?.isNamed = true
        }
    }

    /// How much of a stream can be read; 0 where nothing was stored.
    func end(of stream: OutputStreamID) async throws -> Int64 {
        if let segment = state.withLock({ $0.segments[stream] }) { return segment.end }
        let path = path(of: stream)
        return try await pool.runIfActive {
            guard PosixFile.exists(path) else { return 0 }
            return try PosixFile(path: path, flags: O_RDONLY).size()
        }
    }

    /// Reads at most `limit` bytes; empty at the end.
    func read(_ stream: OutputStreamID, offset: Int64, limit: Int) async throws -> ByteBuffer {
        let open = state.withLock { $0.segments[stream]?.file.file }
        let path = path(of: stream)
        return try await pool.runIfActive {
            if let open { return try open.read(at: offset, limit: limit) }
            guard PosixFile.exists(path) else { return ByteBuffer() }
            return try PosixFile(path: path, flags: O_RDONLY).read(at: offset, limit: limit)
        }
    }

    // MARK: Files

    /// Those that a stream's name needs, from the root on.
    private func folders(of stream: OutputStreamID) -> [String] {
        let parent = "\(root)/\(stream.job.text.suffix(2))"
        return [root, parent, "\(parent)/\(stream.job.text)"]
    }

    private func path(of stream: OutputStreamID) -> String {
        let name = "\(stream.attempt.text).\(stream.code == .stdout ? "stdout" : "stderr")"
        return "\(root)/\(stream.job.text.suffix(2))/\(stream.job.text)/\(name)"
    }

    func arrivalsPath(of stream: OutputStreamID) -> String { path(of: stream) + ".times" }

    private func segment(of stream: OutputStreamID) async throws -> Segment {
        if let segment = state.withLock({ $0.segments[stream] }) { return segment }
        let (folders, path, times) = (folders(of: stream), path(of: stream), arrivalsPath(of: stream))
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
                state.segments = state.segments.filter { state.dirty.contains($0.key) }
            }
            state.segments[stream] = opened
            return opened
        }
    }

    /// Cuts a stream back to what is durable. Whoever is about to write to it, or opened it anew, finds it closed.
    private func discard(_ stream: OutputStreamID, back segment: Segment) async throws {
        let current = state.withLock { state in
            state.dirty.remove(stream)
            return state.segments.removeValue(forKey: stream) ?? segment
        }
        let durable = max(segment.durable, current.durable)
        try await pool.runIfActive {
            for file in [segment.file, current.file] { try file.cut(to: durable) }
        }
    }
}
