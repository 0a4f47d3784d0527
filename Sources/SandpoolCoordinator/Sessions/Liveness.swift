import SandpoolModel
import SandpoolStore

/// Decides what becomes of the attempts of workers that fell silent (design decision 6). A value without I/O:
/// time and attempts are given to it.
struct Liveness: Sendable {
    let timings: CoordinatorTimings
    private var heard: [WorkerID: Duration] = [:]
    private var flagged: Set<WorkerID> = []

    enum Verdict: Hashable, Sendable {
        /// Flag the worker's attempts.
        case unreachable(WorkerID)
        /// Let another attempt take the place: by the worker's own clock it has killed this one.
        case replace(LeaseKey)
        /// End the attempt: nobody can tell any more, and it must not run twice.
        case lose(LeaseKey)
    }

    init(timings: CoordinatorTimings) { self.timings = timings }

    /// A later turn than this after its time means that the coordinator itself stood still.
    private static let tolerance = Duration.seconds(5)

    /// A sign of life; whether the worker had been flagged.
    @discardableResult
    mutating func heard(_ worker: WorkerID, at now: Duration) -> Bool {
        heard[worker] = now
        return flagged.remove(worker) != nil
    }

    mutating func forget(_ worker: WorkerID) {
        heard[worker] = nil
        flagged.remove(worker)
    }

    /// The worker's flag was not stored: it is judged again.
    mutating func unflag(_ worker: WorkerID) { flagged.remove(worker) }

    /// The coordinator did not run for a while, such as on a host that was suspended, so it could hear nobody: that
    /// is nobody's silence.
    mutating func excuse(_ gap: Duration, at now: Duration) {
        guard gap > Self.tolerance else { return }
        for (worker, last) in heard { heard[worker] = min(now, last + gap) }
    }

    func isSilent(_ worker: WorkerID, at now: Duration) -> Bool {
        silence(of: worker, at: now).map { $0 >= timings.unreachableAfter } ?? true
    }

    /// How long nothing has been heard of a worker; `nil` where nothing ever was.
    func silence(of worker: WorkerID, at now: Duration) -> Duration? { heard[worker].map { now - $0 } }

    /// What is due, and when to ask again; `nil` for not before something else happens.
    mutating func judge(
        at now: Duration, attempts: (WorkerID) -> [RunningAttempt]
    ) -> (verdicts: [Verdict], next: Duration?) {
        var verdicts: [Verdict] = []
        var next: Duration?
        func later(_ moment: Duration) { next = min(next ?? moment, moment) }
        // In the order of their ids, so that what follows does not depend on hashing.
        for (worker, last) in heard.sorted(by: { $0.key < $1.key }) {
            if now < last + timings.unreachableAfter {
                later(last + timings.unreachableAfter)
            } else if flagged.insert(worker).inserted {
                verdicts.append(.unreachable(worker))
            }
            for attempt in attempts(worker) {
                let end = last + patience(with: attempt)
                if now < end {
                    later(end)
                } else {
                    verdicts.append(attempt.spec.isRerunSafe ? .replace(attempt.lease) : .lose(attempt.lease))
                }
            }
        }
        return (verdicts, next)
    }

    private func patience(with attempt: RunningAttempt) -> Duration {
        if attempt.spec.isRerunSafe { return timings.replaceAfter }
        return .seconds(attempt.spec.timeoutSeconds ?? 0) + timings.lostAfter
    }
}
