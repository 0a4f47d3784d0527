import Hummingbird
import SandpoolAPI
import SandpoolModel

/// `/v1/jobs/REF/verification`: whether the output that is kept is what the command wrote.
struct VerificationHandler: Sendable {
    let parts: CoordinatorParts

    /// Reads all output of an attempt, of the last one unless the request names another.
    ///
    /// - Throws: 404 for an attempt that there is not, 409 where it has not ended.
    func verify(_ reference: String, _ info: RequestInfo) async throws -> Response {
        try info.query.check(known: ["attempt"])
        let number = try info.query.number("attempt", in: 1...(.max))
        let id = try await parts.jobs.resolve(reference)
        let hold = try parts.holds.hold(id)
        defer { withExtendedLifetime(hold) {} }
        let attempt = try ended(number, of: try await parts.jobs.job(id))
        let reader = OutputReader(store: parts.store, output: parts.output)
        var streams: [VerifiedStream] = []
        for code in [OutputStreamCode.stdout, .stderr] {
            let digest = try await reader.digest(of: OutputStreamID(job: id, attempt: attempt.id, code: code))
            streams.append(VerifiedStream(code.stream, bytes: digest.bytes, digest: digest.text, of: attempt))
        }
        return try .json(
            OutputVerification(job: id, attempt: attempt.id, number: attempt.epoch, streams: streams))
    }

    private func ended(_ number: Int64?, of job: Job) throws(APIError) -> Attempt {
        guard let attempt = number.map({ number in job.attempts.first { $0.epoch == number } }) ?? job.attempts.last
        else {
            if let number { throw .notFound("attempt \(number) of job \(job.id)") }
            throw APIError(
                status: 409, code: APIError.notStartedCode, message: "job \(job.id) has no attempt that wrote anything",
                hint: "'sandpool why \(job.id.short)' says what became of it")
        }
        guard attempt.state.isTerminal else {
            throw APIError(
                status: 409, code: "not_finished",
                message: "attempt \(attempt.epoch) of job \(job.id) has not ended: nobody has said what it wrote",
                hint: "'sandpool wait \(job.id.short)' waits for it")
        }
        return attempt
    }
}
