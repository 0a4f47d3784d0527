import SandpoolModel
import SandpoolStore

/// An archive that can be pruned when the disk is full: what makes room finds the little that it needs.
struct ReservingArchive: JobArchive {
    let archive: any JobArchive
    let reserve: DiskReserve

    func endedJobs(by moment: Timestamp, limit: Int) async throws -> [EndedJob] {
        try await archive.endedJobs(by: moment, limit: limit)
    }

    func endedJobs(before position: EndedJob?, limit: Int) async throws -> [EndedJob] {
        try await archive.endedJobs(before: position, limit: limit)
    }

    func prune(_ jobs: [JobID]) async throws -> PrunedJobs {
        try await reserve.supporting { try await archive.prune(jobs) }
    }

    func known(_ jobs: [JobID]) async throws -> Set<JobID> { try await archive.known(jobs) }

    func used(_ blobs: [String]) async throws -> Set<String> { try await archive.used(blobs) }
}
