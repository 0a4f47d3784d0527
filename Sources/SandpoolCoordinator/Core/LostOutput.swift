import SandpoolModel
import SandpoolStore

/// Output that a result counts and that nobody can bring any more.
///
/// A command's output is on its host until it has come here. Where launcher and worker are killed together, or the host
/// goes down, the worker's journal has the result and the spools are gone. The result is true all the same; that output
/// is missing has to be said, since an empty output looks like that of a silent command.
struct LostOutput: Hashable, CustomStringConvertible {
    var stdoutBytes: Int64
    var stderrBytes: Int64

    /// - Parameters:
    ///   - stdoutEnd: how far the stream is known to be on the disk here, without what rides in the result.
    ///   - stderrEnd: the same.
    init?(of report: ResultReport, stdoutEnd: Int64, stderrEnd: Int64) {
        func missing(_ count: Int64, _ end: Int64, _ stream: OutputStream) -> Int64 {
            let tail = report.tails.first { $0.stream == stream }
            return max(0, count - max(end, tail.map { $0.offset + Int64($0.bytes.count) } ?? 0))
        }
        stdoutBytes = missing(report.evidence.stdoutBytes, stdoutEnd, .stdout)
        stderrBytes = missing(report.evidence.stderrBytes, stderrEnd, .stderr)
        if stdoutBytes == 0, stderrBytes == 0 { return nil }
    }

    var description: String {
        let parts = [(stdoutBytes, "stdout"), (stderrBytes, "stderr")].filter { $0.0 > 0 }
        let text = parts.map { "\($0) bytes of \($1)" }.joined(separator: " and ")
        return "the last \(text) were lost when the host or its launcher went down"
    }

    /// Says it in the message for people, and in the evidence.
    func note(in report: inout ResultReport) {
        if stdoutBytes > 0 { report.evidence.lostStdoutBytes = stdoutBytes }
        if stderrBytes > 0 { report.evidence.lostStderrBytes = stderrBytes }
        report.outcome.message = report.outcome.message.map { "\(self); \($0)" } ?? "\(self)"
    }
}
