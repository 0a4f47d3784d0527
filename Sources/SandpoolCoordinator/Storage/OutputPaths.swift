import SandpoolAPI
import SandpoolModel

/// Where the output of jobs is kept: `ROOT/<2 digits>/<job>/<attempt>.stdout`, with `.times` for its index.
struct OutputPaths: Sendable {
    let root: String

    static let timesEnding = ".times"

    /// The folder of those jobs whose ids end with the same two digits.
    func shelf(of job: JobID) -> String { "\(root)/\(Self.shelf(of: job))" }

    static func shelf(of job: JobID) -> String { String(job.text.suffix(2)) }

    func folder(of job: JobID) -> String { "\(shelf(of: job))/\(job.text)" }

    func file(of stream: OutputStreamID) -> String {
        "\(folder(of: stream.job))/\(stream.attempt.text).\(stream.code == .stdout ? "stdout" : "stderr")"
    }

    func times(of stream: OutputStreamID) -> String { file(of: stream) + Self.timesEnding }

    /// The attempt that a file in a job's folder belongs to; `nil` for a file that none of ours is named like.
    static func attempt(ofFile name: String) -> AttemptID? {
        let stem = name.hasSuffix(timesEnding) ? String(name.dropLast(timesEnding.count)) : name
        let parts = stem.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, OutputStream(rawValue: String(parts[1])) != nil else { return nil }
        return AttemptID(String(parts[0]))
    }
}
