import SandpoolModel
import SandpoolStore

extension MemoryStore {
    package func output(of attempt: AttemptID) throws -> AttemptOutput? {
        return attempts[attempt].map { attempt in
            AttemptOutput(
                isComplete: attempt.state.isTerminal,
                tails: attempt.tails.sorted { ($0.stream.rawValue, $0.offset) < ($1.stream.rawValue, $1.offset) })
        }
    }

    package func downloads(of job: JobID) throws -> String? {
        return jobs[job]?.attempts.compactMap { attempts[$0]?.downloads }.last
    }
}
