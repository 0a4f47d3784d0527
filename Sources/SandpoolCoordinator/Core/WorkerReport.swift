import NIOCore
import SandpoolAPI
import SandpoolModel
import SandpoolStore

/// What a worker reports of its attempts, as the store takes it.
package enum WorkerReport: Hashable, Sendable {
    case progress([ProgressReport])
    case results([ReportedResult])
    case returned([LeaseKey])

    /// Whether there is nothing to record.
    var isEmpty: Bool {
        switch self {
        case .progress(let steps): steps.isEmpty
        case .results(let results): results.isEmpty
        case .returned(let leases): leases.isEmpty
        }
    }

    /// - Returns: `nil` for a message that is no report.
    /// - Throws: `FrameError` for a tail that is not base 64 or too long.
    package init?(_ message: WorkerMessage, of worker: WorkerID) throws(FrameError) {
        switch message {
        case .progress(let steps): self = .progress(steps.compactMap { ProgressReport($0, of: worker) })
        case .results(let results):
            var reports: [ReportedResult] = []
            reports.reserveCapacity(results.count)
            for result in results { reports.append(try ReportedResult(result, of: worker)) }
            self = .results(reports)
        case .returned(let leases): self = .returned(leases.map { LeaseKey($0, worker: worker) })
        case .hello, .heartbeat, .inputConsumed, .execStarted, .execInputConsumed, .execEnded: return nil
        }
    }
}

/// A result, and where the output that rides in it begins.
package struct ReportedResult: Hashable, Sendable {
    package var report: ResultReport
    /// 0 for a stream without a tail.
    package var stdoutStart: Int64
    package var stderrStart: Int64

    package init(report: ResultReport, stdoutStart: Int64 = 0, stderrStart: Int64 = 0) {
        self.report = report
        self.stdoutStart = stdoutStart
        self.stderrStart = stderrStart
    }

    fileprivate init(_ result: AttemptResult, of worker: WorkerID) throws(FrameError) {
        var tails: [InlineOutput] = []
        for (stream, tail) in [(OutputStream.stdout, result.stdoutTail), (.stderr, result.stderrTail)] {
            guard let tail else { continue }
            guard let bytes = tail.bytes else { throw .malformed("the \(stream.rawValue) tail of a result") }
            guard bytes.readableBytes > 0 else { continue }
            tails.append(InlineOutput(stream: stream, offset: tail.offset, bytes: Array(buffer: bytes)))
        }
        var evidence = result.evidence
        // Not the worker's to say.
        (evidence.lostStdoutBytes, evidence.lostStderrBytes) = (nil, nil)
        let report = ResultReport(
            lease: LeaseKey(result.lease, worker: worker), outcome: result.outcome, evidence: evidence,
            startedAt: result.startedAt, finishedAt: result.finishedAt, tails: tails, downloads: result.downloads)
        self.init(
            report: report, stdoutStart: result.stdoutTail?.offset ?? 0, stderrStart: result.stderrTail?.offset ?? 0)
    }
}

extension ProgressReport {
    /// `nil` for a state that no worker reports as a step.
    fileprivate init?(_ progress: AttemptProgress, of worker: WorkerID) {
        let step: Step
        switch progress.state {
        case .preparing: step = .preparing
        case .building: step = .building
        case .running: step = .started
        case .leased, .finished, .lost, .superseded: return nil
        }
        self.init(lease: LeaseKey(progress.lease, worker: worker), step: step, at: progress.at)
    }
}
