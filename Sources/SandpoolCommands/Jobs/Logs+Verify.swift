import Sandpool
import SandpoolModel

/// `sandpool logs --verify`.
extension Logs {
    /// Prints how the kept output compares with what the command wrote.
    ///
    /// - Throws: `ExitStatus` 1 where it differs, 125 where that cannot be told.
    func compare() async throws {
        var verdict = OutputVerification.Verdict.unknown
        try await connection.withPool(for: .reading) { pool in
            let result = try await pool.verifyOutput(of: id, attempt: attempt.map(Int64.init))
            verdict = result.verdict
            if json { return try StandardOutput.line(JSONText.pretty(result)) }
            for stream in result.streams { try StandardOutput.line(Self.line(stream)) }
        }
        switch verdict {
        case .ok: return
        case .differs: throw ExitStatus(code: 1)
        case .unknown: throw ExitStatus.sandpoolFailure
        }
    }

    private static func line(_ stream: VerifiedStream) -> String {
        let end = stream.problem.map { "\(stream.verdict.rawValue): \($0)" } ?? stream.verdict.rawValue
        return TerminalText.harmless(
            "\(stream.stream.rawValue)  \(stream.bytes) bytes  \(stream.digest)  \(end)", limit: 400)
    }
}
