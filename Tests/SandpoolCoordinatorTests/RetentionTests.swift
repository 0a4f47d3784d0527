import Foundation
import Logging
import NIOCore
import NIOPosix
import SandpoolAPI
import SandpoolModel
import SandpoolStore
import SandpoolTestSupport
import Synchronization
import Testing

@testable import SandpoolCoordinator

/// Old jobs go, with what only they used; nobody who reads one loses it.
@Suite(.timeLimit(.minutes(1)))
struct RetentionTests {
    /// What a pruner works on, without a coordinator around it.
    private struct Bench: Sendable {
        let directory: TestDirectory
        let store: SQLiteJobStore
        let output: OutputStore
        let blobs: BlobStore
        let holds = JobHolds()
        let clock = SettableClock()

        static func run(_ body: (Bench) async throws -> Void) async throws {
            let directory = try TestDirectory()
            let pool = NIOThreadPool(numberOfThreads: 2)
            pool.start()
            for part in ["output", "blobs"] { try PosixFile.makeDirectory("\(directory.path)/\(part)") }
            let store = try await SQLiteJobStore.open(path: directory.path + "/db", now: .start)
            let reserve = try DiskReserve(path: directory.path + "/reserve", bytes: 1 << 20)
            let clock = SystemClock()
            let bench = Bench(
                directory: directory, store: store,
                output: OutputStore(root: directory.path + "/output", pool: pool, clock: clock),
                blobs: try BlobStore(root: directory.path + "/blobs", limit: 1 << 20, reserve: reserve, pool: pool))
            try await body(bench)
            try await store.close()
            try await pool.shutdownGracefully()
        }

        func pruner(_ retention: Retention = Retention(), archive: (any JobArchive)? = nil) -> Pruner {
            Pruner(
                archive: archive ?? store, output: output, blobs: blobs, holds: holds, clock: clock,
                retention: retention, eventLoop: MultiThreadedEventLoopGroup.singleton.next(),
                logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        }

        /// A job that ended so many seconds after the start, with so many bytes in a segment file.
        func endedJob(at seconds: Int, bytes: Int = 0) async throws -> JobID {
            let spec = JobSpec(command: ["true"])
            let resources = Resources(cpuMillis: 1, memoryBytes: 1, diskBytes: 1)
            let job = NewJob(id: .make(at: .start), spec: spec, resources: resources, fingerprint: "")
            _ = try await store.submit([job], now: .start)
            if bytes > 0 {
                let stream = OutputStreamID(job: job.id, attempt: .make(at: .start), code: .stdout)
                _ = try await output.append(stream, offset: 0, ByteBuffer(repeating: 0x61, count: bytes))
            }
            _ = try await store.cancel(job.id, now: .start.advanced(by: .seconds(seconds)))
            return job.id
        }

        func folder(of job: JobID) -> String { OutputPaths(root: directory.path + "/output").folder(of: job) }
    }

    @Test func theOldestGoWithTheirFiles() async throws {
        try await Bench.run { bench in
            let ids = [
                try await bench.endedJob(at: 20, bytes: 7), try await bench.endedJob(at: 10, bytes: 5),
                try await bench.endedJob(at: 30, bytes: 3),
            ]
            let pruned = try await bench.pruner().prune(endedBy: .start.advanced(by: .seconds(20)))
            // Each file has a record of when its first byte came.
            let records = Int64(2 * ArrivalIndex.recordBytes)
            #expect(pruned == Pruner.Pruned(jobs: 2, bytes: 12 + records))
            #expect(try await bench.store.known(ids) == [ids[2]])
            #expect(ids.map { PosixFile.exists(bench.folder(of: $0)) } == [false, false, true])
        }
    }

    @Test func whoReadsAJobKeepsIt() async throws {
        try await Bench.run { bench in
            let ids = [try await bench.endedJob(at: 1, bytes: 1), try await bench.endedJob(at: 2)]
            let moment = Timestamp.start.advanced(by: .seconds(9))
            var hold: JobHold? = try bench.holds.hold(ids[0])
            #expect(try await bench.pruner().prune(endedBy: moment).jobs == 1)
            #expect(try await bench.store.known(ids) == [ids[0]])
            #expect(PosixFile.exists(bench.folder(of: ids[0])))
            withExtendedLifetime(hold) {}
            hold = nil
            #expect(try await bench.pruner().prune(endedBy: moment).jobs == 1)
            #expect(bench.holds.count == 0)
        }
    }

    @Test func whatIsBeingRemovedIsNotBegunToBeRead() throws {
        let holds = JobHolds()
        let (read, free) = (JobID.make(at: .start), JobID.make(at: .start))
        let hold = try holds.hold(read)
        #expect(holds.takeAway([read, free], limit: 9) == [free])
        #expect(throws: APIError.notFound("job \(free)")) { _ = try holds.hold(free) }
        holds.giveBack([free])
        _ = try holds.hold(free)
        withExtendedLifetime(hold) {}
    }

    /// Three jobs of 40 bytes: the oldest go until nine tenths of what is allowed are left.
    @Test func tooMuchOutputMakesTheOldestGo() async throws {
        try await Bench.run { bench in
            let ids = [
                try await bench.endedJob(at: 1, bytes: 40 - 16), try await bench.endedJob(at: 2, bytes: 40 - 16),
                try await bench.endedJob(at: 3, bytes: 40 - 16),
            ]
            var retention = Retention()
            (retention.ageSeconds, retention.leastAge) = (nil, .zero)
            bench.clock.set(.start.advanced(by: .seconds(9)))
            for (limit, rest) in [(Int64(120), 3), (119, 2), (100, 2), (79, 1), (30, 0)] {
                retention.bytes = limit
                let pruner = bench.pruner(retention)
                if let moment = try await pruner.horizon() { _ = try await pruner.prune(endedBy: moment) }
                #expect(try await bench.store.known(ids) == Set(ids.suffix(rest)), "\(limit)")
            }
        }
    }

    @Test func whatEndedLatelyStaysWhateverItsSize() async throws {
        try await Bench.run { bench in
            _ = try await bench.endedJob(at: 1, bytes: 1_000)
            var retention = Retention()
            retention.bytes = 1
            bench.clock.set(.start.advanced(by: .seconds(3_600)))
            let pruner = bench.pruner(retention)
            let moment = try #require(try await pruner.horizon())
            #expect(try await pruner.prune(endedBy: moment).jobs == 0)
            bench.clock.set(.start.advanced(by: .seconds(3_601)))
            let later = try #require(try await pruner.horizon())
            #expect(try await pruner.prune(endedBy: later).jobs == 1)
        }
    }

    /// What a crash between the rows and the files leaves, and uploads that no job came for.
    @Test func filesThatBelongToNothingAreSwept() async throws {
        try await Bench.run { bench in
            let kept = try await bench.endedJob(at: 1, bytes: 1)
            let gone = JobID.make(at: .start)
            let foreign = bench.directory.path + "/output/xy/notes"
            for path in [bench.folder(of: gone), foreign] {
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            }
            try "x".write(toFile: bench.folder(of: gone) + "/a", atomically: false, encoding: .utf8)
            let digests = ["00", "ff", "0a"].map { "sha256:" + $0 + String(repeating: "0", count: 62) }
            for digest in digests {
                let path = try #require(BlobStore.path(of: digest, in: bench.directory.path + "/blobs"))
                let folder = path.split(separator: "/").dropLast().joined(separator: "/")
                try FileManager.default.createDirectory(atPath: "/" + folder, withIntermediateDirectories: true)
                try "x".write(toFile: path, atomically: false, encoding: .utf8)
            }
            var spec = JobSpec(command: ["true"])
            spec.mounts = [Mount(blob: digests[0], path: "/in", isFile: true)]
            let resources = Resources(cpuMillis: 1, memoryBytes: 1, diskBytes: 1)
            let user = NewJob(id: .make(at: .start), spec: spec, resources: resources, fingerprint: "")
            _ = try await bench.store.submit([user], now: .start)
            // They were uploaded a week before.
            bench.clock.set(SystemClock().now.advanced(by: .seconds(8 * 86_400)))
            #expect(try await bench.blobs.sizes(of: digests) == [1, 1, 1])
            await bench.pruner().sweep()
            #expect(PosixFile.exists(bench.folder(of: kept)) && PosixFile.exists(foreign))
            #expect(!PosixFile.exists(bench.folder(of: gone)))
            #expect(try await bench.blobs.sizes(of: digests) == [1, 0, 0])
        }
    }

    @Test func aBlobThatIsAskedForStays() async throws {
        try await Bench.run { bench in
            let digest = "sha256:" + String(repeating: "0", count: 64)
            for missing in [digest, "../x"] { #expect(try await !bench.blobs.claim(missing)) }
            try PosixFile.makeDirectory(bench.directory.path + "/blobs/sha256/00")
            let path = try #require(BlobStore.path(of: digest, in: bench.directory.path + "/blobs"))
            try "x".write(toFile: path, atomically: false, encoding: .utf8)
            let old = Date(timeIntervalSince1970: 1)
            try FileManager.default.setAttributes([.modificationDate: old], ofItemAtPath: path)
            #expect(try await bench.blobs.claim(digest))
            let now = Int(SystemClock().now.milliseconds / 1_000)
            #expect(try await bench.blobs.remove([digest], notChangedFor: 3_600, now: now) == 0)
            try FileManager.default.setAttributes([.modificationDate: old], ofItemAtPath: path)
            #expect(try await bench.blobs.remove([digest], notChangedFor: 3_600, now: now) == 1)
        }
    }

    /// The reserve's room is there for what makes room.
    @Test func aFullDiskDoesNotKeepOldJobsFromGoing() async throws {
        try await Bench.run { bench in
            _ = try await bench.endedJob(at: 1)
            let path = bench.directory.path + "/ballast"
            let reserve = try DiskReserve(path: path, bytes: 1 << 20)
            let archive = ReservingArchive(archive: FullDisk(archive: bench.store, refusals: 3), reserve: reserve)
            let pruned = try await bench.pruner(archive: archive).prune(endedBy: .start.advanced(by: .seconds(1)))
            #expect(pruned.jobs == 1)
            #expect(try PosixFile.status(path)?.bytes == (1 << 20) - 3 * (1 << 14))
        }
    }

    @Test func anOperatorRemovesWhatIsOld() async throws {
        try await TestServer.run { server in
            let job = try await server.submit(#"{"command": ["true"], "idempotencyKey": "k"}"#)
            _ = try await server.request("POST", "/v1/jobs/\(job.id)/cancel")
            let later: PruneAnswer = try await server.json("POST", "/v1/prune", body: #"{"olderThanSeconds": 3600}"#)
            #expect(later == PruneAnswer(jobs: 0, bytes: 0, isDone: true))
            let now: PruneAnswer = try await server.json("POST", "/v1/prune", body: #"{"olderThanSeconds": 0}"#)
            #expect(now.jobs == 1 && now.isDone)
            // The key went with the job.
            let again = try await server.submit(#"{"command": ["false"], "idempotencyKey": "k"}"#)
            #expect(again.id != job.id)
            for body in [#"{"olderThanSeconds": -1}"#, #"{"olderThan": 1}"#, #"{"olderThanSeconds": 1e300}"#] {
                #expect(try await server.failure("POST", "/v1/prune", body: body).status == 422, "\(body)")
            }
            let reader = try await server.token(.submit).secret
            let body = #"{"olderThanSeconds": 0}"#
            #expect(try await server.failure("POST", "/v1/prune", token: reader, body: body).status == 403)
        }
    }

    @Test func aCoordinatorRemovesWhatIsOld() async throws {
        let directory = try TestDirectory()
        let ids = Mutex<[JobID]>([])
        try await TestServer.run(directory: directory) { server in
            for _ in 0..<(2 * Pruner.batch + 1) {
                let job = try await server.submit(#"{"command": ["true"]}"#)
                _ = try await server.request("POST", "/v1/jobs/\(job.id)/cancel")
                ids.withLock { $0.append(job.id) }
            }
            let waiting = try await server.submit(#"{"command": ["true"]}"#)
            ids.withLock { $0.append(waiting.id) }
        }
        try await TestServer.run(directory: directory) {
            ($0.retention.ageSeconds, $0.retention.leastAge) = (0, .zero)
        } _: { server in
            try await eventually("one job is left") {
                let jobs: [Job] = try await server.json("GET", "/v1/jobs?all=true")
                return jobs.map(\.id) == ids.withLock { $0.suffix(1) }
            }
            let first = ids.withLock { $0[0] }
            #expect(try await server.failure("GET", "/v1/jobs/\(first)/output/stdout").status == 404)
            #expect(try CoordinatorCheck(dataDirectory: server.directory).run { Issue.record("\($0)") }.jobs == 1)
        }
    }
}

extension Timestamp {
    fileprivate static let start = Timestamp(milliseconds: 1_800_000_000_000)
}

/// A wall clock that a test sets.
private final class SettableClock: CoordinatorClock {
    private let moment = Mutex(Timestamp.start)

    func set(_ moment: Timestamp) { self.moment.withLock { $0 = moment } }

    var now: Timestamp { moment.withLock { $0 } }
    var uptime: Duration { SystemClock().uptime }
}

/// An archive whose disk is full for its first writes.
private final class FullDisk: JobArchive {
    private let archive: any JobArchive
    private let refusals: Mutex<Int>

    init(archive: any JobArchive, refusals: Int) {
        self.archive = archive
        self.refusals = Mutex(refusals)
    }

    func prune(_ jobs: [JobID]) async throws -> PrunedJobs {
        let isFull = refusals.withLock { refusals in
            refusals -= 1
            return refusals >= 0
        }
        if isFull { throw StoreError.diskFull("test") }
        return try await archive.prune(jobs)
    }

    func endedJobs(by moment: Timestamp, limit: Int) async throws -> [EndedJob] {
        try await archive.endedJobs(by: moment, limit: limit)
    }

    func endedJobs(before position: EndedJob?, limit: Int) async throws -> [EndedJob] {
        try await archive.endedJobs(before: position, limit: limit)
    }

    func known(_ jobs: [JobID]) async throws -> Set<JobID> { try await archive.known(jobs) }
    func used(_ blobs: [String]) async throws -> Set<String> { try await archive.used(blobs) }
}
