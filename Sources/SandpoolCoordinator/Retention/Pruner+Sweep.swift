import SandpoolModel
import SandpoolStore

extension Pruner {
    /// Seconds after which an upload that no job has come for is given up.
    private static let uploadAge = 7 * 86_400

    /// Removes what belongs to nothing: output of jobs whose removal an earlier process did not finish, and uploads
    /// that no job uses. What has a name that is none of ours stays.
    ///
    /// A job's row is there before its first file, so what is found without one has lost it.
    func sweep() async {
        do {
            for shelf in try await output.shelves() {
                let jobs = try await output.jobs(onShelf: shelf)
                for start in stride(from: 0, to: jobs.count, by: StoreLimits.page) where !signal.isClosed {
                    let page = Array(jobs[start...].prefix(StoreLimits.page))
                    let known = try await archive.known(page)
                    try await output.remove(page.filter { !known.contains($0) })
                }
            }
            let now = Int(clock.now.milliseconds / 1_000)
            for shelf in BlobStore.shelves where !signal.isClosed {
                let old = try await blobs.digests(on: shelf, notChangedFor: Self.uploadAge, now: now)
                for start in stride(from: 0, to: old.count, by: StoreLimits.page) {
                    let page = Array(old[start...].prefix(StoreLimits.page))
                    let used = try await archive.used(page)
                    try await blobs.remove(
                        page.filter { !used.contains($0) }, notChangedFor: Self.uploadAge, now: now)
                }
            }
        } catch {
            guard !Task.isCancelled, !signal.isClosed else { return }
            logger.error("files that belong to nothing stay until the next start: \(error)")
        }
    }
}
