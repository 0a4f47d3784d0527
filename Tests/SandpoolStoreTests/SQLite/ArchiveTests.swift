import GRDB
import SandpoolModel
import Testing

@testable import SandpoolStore

/// Finished jobs are found in the order of their ends, and go whole.
@Suite struct ArchiveTests {
    private static func withStore(_ body: (SQLiteJobStore) async throws -> Void) async throws {
        try await withScratchDirectory { directory in
            let path = directory + "/store.sqlite"
            let store = try await SQLiteJobStore.open(path: path, now: .origin)
            try await body(store)
            try await store.close()
            #expect(try findings(in: path) == [])
        }
    }

    /// Jobs that ended at these seconds, in the order of their submission.
    private static func ended(_ store: SQLiteJobStore, at seconds: [Double]) async throws -> [JobID] {
        var ids: [JobID] = []
        for second in seconds {
            let id = try await store.add(.sample())[0]
            _ = try await store.cancel(id, now: .at(second))
            ids.append(id)
        }
        return ids
    }

    @Test func theFirstToEndComesFirst() async throws {
        try await Self.withStore { store in
            let ids = try await Self.ended(store, at: [30, 10, 20])
            try await store.add(.sample())
            #expect(try await store.endedJobs(by: .at(100), limit: 9).map(\.id) == [ids[1], ids[2], ids[0]])
            #expect(try await store.endedJobs(by: .at(20), limit: 9).map(\.id) == [ids[1], ids[2]])
            #expect(try await store.endedJobs(by: .at(20), limit: 1).map(\.endedAt) == [.at(10)])
        }
    }

    @Test func pagesFromTheLastToEndMissNone() async throws {
        try await Self.withStore { store in
            let ids = try await Self.ended(store, at: [5, 7, 7, 7, 7, 7, 9])
            var found: [JobID] = []
            var last: EndedJob?
            while true {
                let page = try await store.endedJobs(before: last, limit: 2)
                guard let end = page.last else { break }
                found += page.map(\.id)
                last = end
            }
            #expect(found == ids.reversed())
        }
    }

    @Test func whatAJobTakesIsTold() async throws {
        try await Self.withStore { store in
            let worker = try await store.enrol()
            let id = try await store.add(.sample())[0]
            let tails = [
                InlineOutput(stream: .stdout, offset: 0, bytes: [1, 2, 3]),
                InlineOutput(stream: .stderr, offset: 9, bytes: [4]),
            ]
            let lease = try await store.run(id, by: worker)
            let result = ResultReport.sample(lease, tails: tails, downloads: "sha256:d")
            _ = try await store.recordResults([result], now: .at(3))
            let job = try #require(try await store.endedJobs(before: nil, limit: 1).first)
            #expect(job.tailBytes == 4 && job.downloads == ["sha256:d"] && job.id == id)
        }
    }

    @Test func aJobGoesWholeAndItsKeyIsFree() async throws {
        try await Self.withStore { store in
            let worker = try await store.enrol()
            let job = NewJob.sample(key: "k") { $0.tags = ["os": "linux"] }
            try await store.add(job)
            let tail = InlineOutput(stream: .stdout, offset: 0, bytes: [1])
            let result = ResultReport.sample(try await store.run(job.id, by: worker), tails: [tail])
            _ = try await store.recordResults([result], now: .at(3))
            #expect(try await store.prune([job.id]).jobs == [job.id])
            #expect(try await store.job(job.id) == nil)
            #expect(try await store.known([job.id]) == [])
            for table in ["jobs", "job_specs", "job_tags", "attempts", "output_tails", "blob_uses"] {
                let rows = try await store.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM \(table)") }
                #expect(rows == 0, "\(table)")
            }
            #expect(try await store.prune([job.id]) == PrunedJobs())
            // Another spec under the same key is a new job, not a conflict.
            #expect(try await store.add(.sample(key: "k", fingerprint: "two")).count == 1)
        }
    }

    @Test func whatHasNotEndedStays() async throws {
        try await Self.withStore { store in
            let worker = try await store.enrol()
            let ids = try await store.add(.sample(), .sample(), .sample())
            _ = try await store.run(ids[0], by: worker)
            _ = try await store.hold(ids[1], by: worker)
            #expect(try await store.prune(ids) == PrunedJobs())
            #expect(try await store.known(ids) == Set(ids))
        }
    }

    @Test func aBlobIsFreeWithItsLastJob() async throws {
        try await Self.withStore { store in
            let mount = { (blob: String) in Mount(blob: blob, path: "/\(blob)", isFile: false) }
            let ids = try await store.add(
                .sample { $0.mounts = [mount("a"), mount("b")] }, .sample { $0.mounts = [mount("b"), mount("c")] },
                .sample { $0.mounts = [mount("c")] })
            for id in ids.prefix(2) { _ = try await store.cancel(id, now: .at(1)) }
            #expect(try await store.used(["a", "b", "c", "d"]) == ["a", "b", "c"])
            #expect(try await store.prune([ids[0]]).blobs == ["a"])
            #expect(try await store.prune([ids[1]]).blobs == ["b"])
            #expect(try await store.used(["a", "b", "c"]) == ["c"])
        }
    }
}
