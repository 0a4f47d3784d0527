import Glibc
import SandpoolModel

/// What goes when jobs do.
extension OutputStore {
    /// Removes the output of jobs, which nobody writes any more. Who has a file open goes on reading it.
    ///
    /// - Returns: how many bytes it had.
    @discardableResult
    func remove(_ jobs: [JobID]) async throws -> Int64 {
        forget(Set(jobs))
        let paths = paths
        return try await pool.runIfActive {
            var bytes: Int64 = 0
            for job in jobs {
                let folder = paths.folder(of: job)
                try PosixFile.names(in: folder) { name in
                    bytes += try PosixFile.status("\(folder)/\(name)")?.bytes ?? 0
                    unlink("\(folder)/\(name)")
                }
                rmdir(folder)
            }
            return bytes
        }
    }

    /// How many bytes each of these jobs has in its files.
    func sizes(of jobs: [JobID]) async throws -> [Int64] {
        let paths = paths
        return try await pool.runIfActive {
            try jobs.map { job in
                let folder = paths.folder(of: job)
                var bytes: Int64 = 0
                try PosixFile.names(in: folder) { bytes += try PosixFile.status("\(folder)/\($0)")?.bytes ?? 0 }
                return bytes
            }
        }
    }

    /// The shelves that jobs' folders stand on.
    func shelves() async throws -> [String] {
        let root = paths.root
        return try await pool.runIfActive {
            var shelves: [String] = []
            try PosixFile.names(in: root) { if $0.utf8.count == 2 { shelves.append($0) } }
            return shelves
        }
    }

    /// The jobs that have a folder on a shelf.
    func jobs(onShelf shelf: String) async throws -> [JobID] {
        let folder = "\(paths.root)/\(shelf)"
        return try await pool.runIfActive {
            var jobs: [JobID] = []
            try PosixFile.names(in: folder) { name in
                if let job = JobID(name), OutputPaths.shelf(of: job) == shelf { jobs.append(job) }
            }
            return jobs
        }
    }
}
