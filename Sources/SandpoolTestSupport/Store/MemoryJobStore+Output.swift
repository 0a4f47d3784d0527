import SandpoolModel
import SandpoolStore

extension MemoryJobStore {
    public func recordDurableOutput(_ lengths: [DurableOutput]) throws -> [Verdict] {
        try checkOpen()
        try Bounds.check(count: lengths.count, of: "output lengths")
        return lengths.map { output in
            guard let attempt = attempts[output.lease.attempt], attempt.lease == output.lease,
                !attempt.state.isTerminal
            else { return .fenced }
            if let known = attempt.durable[output.stream], known >= output.length { return .duplicate }
            attempts[output.lease.attempt]?.durable[output.stream] = output.length
            return .recorded
        }
    }

    public func output(of attempt: AttemptID) throws -> AttemptOutput? {
        try checkOpen()
        return attempts[attempt].map { attempt in
            AttemptOutput(
                isComplete: attempt.state.isTerminal, durable: attempt.durable,
                tails: attempt.tails.sorted { ($0.stream.rawValue, $0.offset) < ($1.stream.rawValue, $1.offset) })
        }
    }

    public func downloads(of job: JobID) throws -> String? {
        try checkOpen()
        return jobs[job]?.attempts.compactMap { attempts[$0]?.downloads }.last
    }
}
