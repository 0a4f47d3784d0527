import Glibc
import SandpoolAPI
import SandpoolModel

@testable import SandpoolWorker

/// Values that tests build on.
enum Samples {
    struct Counter: RandomNumberGenerator {
        var value: UInt64
        mutating func next() -> UInt64 { value }
    }

    static func attempt(_ number: Int) -> AttemptID {
        var generator = Counter(value: UInt64(number))
        return AttemptID(milliseconds: 1_700_000_000_000, using: &generator)
    }

    static func exec(_ number: Int) -> ExecID {
        var generator = Counter(value: UInt64(number))
        return ExecID(milliseconds: 1_700_000_000_000, using: &generator)
    }

    /// Bytes that differ from place to place, so that one out of place shows.
    static let output = (0..<(5 << 20)).map { UInt8(truncatingIfNeeded: $0 ^ ($0 >> 8) ^ ($0 >> 16)) }

    static func job(_ number: Int) -> JobID {
        var generator = Counter(value: UInt64(number))
        return JobID(milliseconds: 1_700_000_000_000, using: &generator)
    }

    static func lease(_ number: Int, epoch: Int64 = 1) -> AttemptLease {
        AttemptLease(attempt: attempt(number), epoch: epoch)
    }

    static func result(_ number: Int) -> AttemptResult { result(number, tailBytes: 0) }

    static func result(_ number: Int, tailBytes: Int) -> AttemptResult {
        AttemptResult(
            lease: lease(number), outcome: Outcome(cause: .exited, exitCode: number % 256), evidence: Evidence(),
            startedAt: Timestamp(milliseconds: 5), finishedAt: Timestamp(milliseconds: 9),
            stdoutTail: tailBytes > 0 ? OutputTail(offset: 0, base64: String(repeating: "A", count: tailBytes)) : nil)
    }

    static func assignment(_ number: Int, _ command: [String] = ["true"], _ edit: (inout JobSpec) -> Void = { _ in })
        -> Assignment
    {
        var spec = JobSpec(command: command)
        spec.network.block = true
        edit(&spec)
        return Assignment(lease: lease(number), job: job(number), spec: spec)
    }

    static let end = AttemptEnd(
        outcome: Outcome(cause: .exited, exitCode: 0), evidence: Evidence(), finishedAt: Timestamp(milliseconds: 1))
}

/// A directory that is gone when the body is left.
enum TemporaryDirectory {
    static func with<Result>(_ body: (String) async throws -> Result) async throws -> Result {
        var template = Array("/tmp/sandpool-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw WorkerError("mkdtemp failed") }
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { RemovedTree.remove(path) }
        return try await body(path)
    }
}
