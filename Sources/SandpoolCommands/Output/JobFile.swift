import FoundationEssentials
import Sandpool
import SandpoolModel

/// The file of `--result`.
enum JobFile {
    /// Writes the job's JSON to a file that is either whole or not there.
    static func write(_ job: Job, to path: String) throws {
        let text = try JSONText.pretty(job) + "\n"
        do {
            try Data(text.utf8).write(to: URL(filePath: path), options: .atomic)
        } catch {
            throw SandpoolError(
                code: "result_failed", message: "--result: cannot write \(path)",
                hint: "check that its directory exists and can be written; the job is \(job.id)")
        }
    }
}
