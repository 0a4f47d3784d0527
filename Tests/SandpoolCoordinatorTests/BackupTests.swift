import Foundation
import NIOCore
import SandpoolAPI
import SandpoolModel
import SandpoolStore
import Synchronization
import Testing

@testable import SandpoolCoordinator

/// A backup is whole, of one moment, and another database once it is opened.
@Suite(.timeLimit(.minutes(1)))
struct BackupTests {
    private static func expectClean(_ directory: String, jobs: Int? = nil) throws {
        let summary = try CoordinatorCheck(dataDirectory: directory).run { Issue.record("\($0)") }
        if let jobs { #expect(summary.jobs == jobs) }
    }

    /// A job whose output is in a segment file and in a tail.
    private static func runJob(_ server: TestServer, _ worker: FakeWorker, _ spec: String) async throws -> JobID {
        let job = try await server.submit(spec)
        let lease = try await worker.assignment().lease
        try worker.send(lease, .stdout, at: 0, "abcdef")
        try await worker.finish(lease, stdout: OutputTail(offset: 6, bytes: ByteBuffer(string: "ghi")))
        return job.id
    }

    @Test func aBackupOfARunningCoordinatorIsADataDirectory() async throws {
        let directory = try TestDirectory()
        let jobs = Mutex<[JobID]>([])
        let target = directory.path + "/backup"
        try await TestServer.run(directory: directory) { server in
            let worker = try await FakeWorker(server, capacity: FakeWorker.size)
            let info: BlobInfo = try await server.json("POST", "/v1/blobs", body: "archive")
            let spec = #"{"command": ["x"], "mounts": [{"blob": "\#(info.digest)", "path": "/in"}]}"#
            let done = try await Self.runJob(server, worker, spec)
            let held = try await server.submit(#"{"command": ["true"]}"#)
            _ = try await worker.assignment()
            jobs.withLock { $0 = [done, held.id] }
            let summary = try CoordinatorBackup(dataDirectory: server.directory, target: target + "/").run()
            // The database, the version, a blob, a stream and its index.
            #expect(summary.files == 5)
            try Self.expectClean(target, jobs: 2)
            let names = try FileManager.default.contentsOfDirectory(atPath: target).sorted()
            #expect(names == ["blobs", "output", "sandpool.sqlite", "version"])
            let mode = try FileManager.default.attributesOfItem(atPath: target)[.posixPermissions] as? Int
            #expect(mode == 0o700)
            // What happens now is in its lost future.
            _ = try await server.submit(#"{"command": ["later"]}"#)
        }
        let restored = try TestDirectory()
        try FileManager.default.copyItem(atPath: target, toPath: restored.path + "/data")
        try await TestServer.run(directory: restored) { server in
            let all: [Job] = try await server.json("GET", "/v1/jobs?all=true")
            #expect(Set(all.map(\.id)) == Set(jobs.withLock { $0 }))
            let done = jobs.withLock { $0[0] }
            let output = try await server.request("GET", "/v1/jobs/\(done)/output/stdout")
            #expect(String(buffer: output.body) == "abcdefghi")
            let spec = try await server.job(done).spec
            #expect(try await server.request("GET", "/v1/blobs/\(spec.mounts[0].blob)").status == 200)
        }
    }

    /// What waited then may have run since. Where a second run does no harm, it just runs.
    @Test func whatMayNotRunTwiceWaitsForAWord() async throws {
        let directory = try TestDirectory()
        let jobs = Mutex<[JobID]>([])
        let target = directory.path + "/backup"
        try await TestServer.run(directory: directory) { server in
            for spec in [#"{"command": ["a"]}"#, #"{"command": ["b"], "blockNetwork": true}"#] {
                let id = try await server.submit(spec).id
                jobs.withLock { $0.append(id) }
            }
            _ = try CoordinatorBackup(dataDirectory: server.directory, target: target).run()
        }
        try FileManager.default.removeItem(atPath: directory.path + "/data")
        try FileManager.default.moveItem(atPath: target, toPath: directory.path + "/data")
        try await TestServer.run(directory: directory) { server in
            let (harmful, safe) = jobs.withLock { ($0[0], $0[1]) }
            let worker = try await FakeWorker(server)
            #expect(try await worker.assignment().job == safe)
            let why: Explanation = try await server.json("GET", "/v1/jobs/\(harmful)/why")
            #expect(why.state == .queued && why.reasons.contains { $0.contains("sandpool release") })
            // One that comes now is none of those.
            let new = try await server.submit(#"{"command": ["c"]}"#)
            #expect(try await worker.assignment().job == new.id)
            try Self.expectClean(server.directory, jobs: 3)
            let cut = try await FakeWorker(server)
            _ = try await server.request("POST", "/v1/jobs/\(harmful)/release")
            #expect(try await cut.assignment().job == harmful)
        }
    }

    @Test func eachOpeningOfABackupIsADatabaseOfItsOwn() async throws {
        let directory = try TestDirectory()
        try await TestServer.run(directory: directory) { _ in }
        let (data, target) = (directory.path + "/data", directory.path + "/backup")
        _ = try CoordinatorBackup(dataDirectory: data, target: target).run()
        func identity(_ path: String) async throws -> StoreIdentity {
            let store = try await SQLiteJobStore.open(path: path + "/sandpool.sqlite", now: SystemClock().now)
            try await store.close()
            return store.identity
        }
        var found: [StoreIdentity] = []
        for name in ["one", "two"] {
            let copy = directory.path + "/" + name
            try FileManager.default.copyItem(atPath: target, toPath: copy)
            found.append(try await identity(copy))
            // Only the first opening.
            #expect(try await identity(copy).databaseID == found.last?.databaseID)
        }
        let original = try await identity(data)
        #expect(Set((found + [original]).map(\.databaseID)).count == 3)
        #expect(original.lostFutures == [])
        #expect(found.allSatisfy { $0.lostFutures.map(\.databaseID) == [original.databaseID] })
        // A backup of what was restored knows both.
        _ = try CoordinatorBackup(dataDirectory: directory.path + "/one", target: target + "2").run()
        let again = try await identity(target + "2")
        #expect(Set(again.lostFutures.map(\.databaseID)) == [original.databaseID, found[0].databaseID])
    }

    /// Jobs are submitted, run and pruned while it is made, again and again.
    @Test func aBackupIsOfOneMoment() async throws {
        let directory = try TestDirectory()
        try await TestServer.run(directory: directory) { server in
            let worker = try await FakeWorker(server)
            let database = try await SQLiteJobStore.open(
                path: server.directory + "/sandpool.sqlite", now: SystemClock().now)
            let files = OutputPaths(root: server.directory + "/output")
            let isDone = Mutex(false)
            async let written: Int = {
                var runs = 0
                while !isDone.withLock({ $0 }) || runs < 5 {
                    let id = try await Self.runJob(server, worker, #"{"command": ["x"]}"#)
                    runs += 1
                    // As a pruner does it: rows first.
                    if runs.isMultiple(of: 2) {
                        #expect(try await database.prune([id]).jobs == [id])
                        PosixFile.removeTree(files.folder(of: id))
                    }
                }
                return runs
            }()
            for number in 0..<8 {
                let target = directory.path + "/backup-\(number)"
                _ = try CoordinatorBackup(dataDirectory: server.directory, target: target).run()
                try Self.expectClean(target)
            }
            isDone.withLock { $0 = true }
            #expect(try await written >= 5)
            try await database.close()
        }
    }

    @Test func nothingHalfIsLeftUnderTheName() async throws {
        let directory = try TestDirectory()
        try await TestServer.run(directory: directory) { _ in }
        let (data, target) = (directory.path + "/data", directory.path + "/backup")
        func refused(_ target: String) throws {
            let error = #expect(throws: CoordinatorError.self) {
                _ = try CoordinatorBackup(dataDirectory: data, target: target).run()
            }
            #expect(error?.description.contains("\n") == false)
        }
        try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: false)
        try refused(target)
        try refused(directory.path + "/no/backup")
        // Somebody else's half is not touched.
        try FileManager.default.moveItem(atPath: target, toPath: target + ".partial")
        try refused(target)
        #expect(PosixFile.exists(target + ".partial") && !PosixFile.exists(target))
        rmdir(target + ".partial")
        // What fails in the midst of it: a folder is where the database is.
        try FileManager.default.removeItem(atPath: data + "/sandpool.sqlite")
        try FileManager.default.createDirectory(atPath: data + "/sandpool.sqlite", withIntermediateDirectories: false)
        try refused(target)
        #expect(!PosixFile.exists(target) && !PosixFile.exists(target + ".partial"))
    }
}
