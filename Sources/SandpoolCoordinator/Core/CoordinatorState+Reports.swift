import SandpoolAPI
import SandpoolModel
import SandpoolStore

/// What a worker reported and the store has not got yet: whatever comes together is recorded together.
struct ReportBatch: Sendable {
    /// Most reports that wait; a worker beyond it is not read from until some are recorded.
    static let limit = 4_096
    /// The same in bytes of JSON: results carry output.
    static let byteLimit = 16 << 20

    var progress: [ProgressReport] = []
    var results: [ReportedResult] = []
    var returned: [LeaseKey] = []
    var bytes = 0
    /// Whether the worker is not read from.
    var isPaused = false

    var count: Int { progress.count + results.count + returned.count }
    var isFull: Bool { count > Self.limit || bytes > Self.byteLimit }
}

/// A batch on its way into the store. What is recorded is taken out of it.
struct Recording: Sendable {
    var reports: ReportBatch
    /// Results whose output is being made durable: they say that it is whole, so it has to be safe first.
    var flushing: [ReportedResult] = []
    var isFlushed = false

    init(_ batch: ReportBatch) {
        reports = batch
        // A result repeats what its attempt's progress said.
        let ended = Set(batch.results.map(\.report.lease))
        if !ended.isEmpty { reports.progress.removeAll { ended.contains($0.lease) } }
    }
}

/// The conversation of an open session.
extension CoordinatorState {
    mutating func reported(_ id: SessionID, _ report: WorkerReport, bytes: Int) {
        // A pause for what holds nothing would end with no recording.
        guard heard(id), !report.isEmpty, var reports = sessions.all[id]?.reports else { return }
        // Taken out, so that what is there already is not copied.
        sessions.all[id]?.reports = ReportBatch()
        let isFirst = reports.count == 0
        switch report {
        case .progress(let steps): reports.progress += steps
        case .results(let results): reports.results += results
        case .returned(let leases): reports.returned += leases
        }
        reports.bytes += bytes
        if reports.isFull, !reports.isPaused {
            reports.isPaused = true
            effects.append(.pause(id))
        }
        if isFirst, sessions.all[id]?.recording == nil { effects.append(.turn(.session(id))) }
        sessions.all[id]?.reports = reports
    }

    /// Takes up what has come, where nothing is being recorded.
    mutating func record(_ id: SessionID) {
        guard let session = sessions.all[id], !session.isOver, session.recording == nil, session.reports.count > 0
        else { return }
        sessions.all[id]?.recording = Recording(session.reports)
        sessions.all[id]?.reports = ReportBatch()
        if session.reports.isPaused { effects.append(.resume(id)) }
        recordNext(id)
    }

    /// Makes the next call of a recording: progress, what was given back, output, results.
    private mutating func recordNext(_ id: SessionID) {
        guard var recording = sessions.all[id]?.recording else { return }
        if sessions.all[id]?.isOver ?? true { return }
        let reports = recording.reports
        if !reports.progress.isEmpty {
            call(.session(id), .recordProgress(reports.progress.split(after: StoreLimits.batch).first))
        } else if !reports.returned.isEmpty {
            call(.session(id), .returnLeases(reports.returned.split(after: StoreLimits.batch).first))
        } else if !reports.results.isEmpty {
            call(.session(id), resultCall(&recording))
        } else {
            sessions.all[id]?.recording = nil
            return record(id)
        }
        sessions.all[id]?.recording = recording
    }

    /// The call that records results, or the one that makes their output durable first.
    private func resultCall(_ recording: inout Recording) -> StoreCall {
        let results = recording.reports.results.split(after: StoreLimits.batch).first
        if !recording.isFlushed {
            recording.flushing = results.filter { attempts[$0.report.lease] != nil }
            let streams = recording.flushing.flatMap { result in
                attempts[result.report.lease].map { [$0.stream(.stdout), $0.stream(.stderr)] } ?? []
            }
            if !streams.isEmpty { return .flush(streams) }
        }
        return .recordResults(results.map(\.report))
    }

    mutating func recorded(_ id: SessionID, _ answer: StoreAnswer) {
        guard var recording = sessions.all[id]?.recording else { return }
        switch answer {
        case .verdicts(let verdicts):
            let (steps, rest) = recording.reports.progress.split(after: StoreLimits.batch)
            recording.reports.progress = rest
            settle(steps, verdicts)
        case .ends(let answers) where !recording.reports.returned.isEmpty:
            let (leases, rest) = recording.reports.returned.split(after: StoreLimits.batch)
            recording.reports.returned = rest
            settle(leases, answers)
        case .ends(let answers):
            let (results, rest) = recording.reports.results.split(after: StoreLimits.batch)
            recording.reports.results = rest
            recording.isFlushed = false
            settle(results.map(\.report), answers, of: id)
            noteStrangers(ended: results.map { AttemptLease($0.report.lease) }, in: id)
        case .flushed(let ends):
            if let end = recording.firstBeyond(ends) {
                let what = "a result's output goes on beyond byte \(end), where it ends here"
                return self.end(id, .abort("reports could not be recorded: \(what)"))
            }
            recording.noteLost(ends)
            recording.isFlushed = true
        default: return failed(.session(id), .mismatch)
        }
        sessions.all[id]?.recording = recording
        recordNext(id)
    }
}

extension Recording {
    /// Says in a result what of its output never came; `ends` are where its streams end here, two for each.
    fileprivate mutating func noteLost(_ ends: [Int64]) {
        for (index, result) in flushing.enumerated() where 2 * index + 1 < ends.count {
            let (stdoutEnd, stderrEnd) = (ends[2 * index], ends[2 * index + 1])
            guard let lost = LostOutput(of: result.report, stdoutEnd: stdoutEnd, stderrEnd: stderrEnd),
                let place = reports.results.firstIndex(where: { $0.report.lease == result.report.lease })
            else { continue }
            lost.note(in: &reports.results[place].report)
        }
    }

    /// The end of a stream that a result claims to go on behind; `nil` where there is none.
    fileprivate func firstBeyond(_ ends: [Int64]) -> Int64? {
        let starts = flushing.flatMap { [$0.stdoutStart, $0.stderrStart] }
        return zip(starts, ends).first { start, end in start > end }?.1
    }
}
