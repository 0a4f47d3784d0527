import Glibc
import LinuxSystem
import Sandpool
import SandpoolModel
import SandpoolTestSupport
import Testing

/// What commands wrote and what is kept of it, compared by digests that the worker takes of its spools.
@Suite(.enabled(if: geteuid() == 0, "sandboxes need root"), .serialized) struct OutputVerificationTests {
    private static let nine = "sha256:19cc02f26df43cc571bc9ed7b0c4d29224a3ec229529221725ef76d021c8326f"
    /// Of three million times `x`.
    private static let xes = "sha256:e55b8bdf621ddaa8f462c74745db9680d3bb7536a9cf854f8d6668b34a287890"

    private static func spec(_ script: String) -> JobSpec {
        var spec = JobSpec(command: ["sh", "-c", script])
        spec.network.block = true
        return spec
    }

    @Test func longShortAndEmptyStreamsHaveTheirExactDigests() async throws {
        try await LocalPool.with { local in
            let long = "head -c 3000000 /dev/zero | tr '\\0' x"
            for (script, stdout, stderr) in [
                ("printf abcdefghi", (9, Self.nine), (0, nil)),
                ("\(long) >&2; printf abcdefghi", (9, Self.nine), (3_000_000, Self.xes)),
                ("printf abc; sleep 0.2; printf def; \(long) >&2; printf ghi", (9, Self.nine), (3_000_000, Self.xes)),
                ("exit 3", (0, nil), (0, nil)),
            ] as [(String, (Int64, String?), (Int64, String?))] {
                let job = try await local.pool.submit(Self.spec(script))
                _ = try await local.pool.wait(for: job.id.text)
                let result = try await local.pool.verifyOutput(of: job.id.text)
                #expect(result.verdict == .ok, "\(result)")
                #expect(result.streams.map(\.writtenBytes) == [stdout.0, stderr.0])
                #expect(result.streams.map(\.writtenDigest) == [stdout.1, stderr.1])
                for stream in result.streams where stream.bytes > 0 { #expect(stream.digest == stream.writtenDigest) }
            }
        }
    }

    @Test func outputThatWasCutIsComparedAsItWasCut() async throws {
        try await LocalPool.with { local in
            var spec = Self.spec("head -c 3000000 /dev/zero | tr '\\0' x; printf abcdefghi >&2")
            spec.resources.outputBytes = 100_000
            let job = try await local.pool.submit(spec)
            let ended = try await local.pool.wait(for: job.id.text)
            #expect(ended.attempts.last?.evidence?.outputTruncated == true)
            let result = try await local.pool.verifyOutput(of: job.id.text, attempt: 1)
            #expect(result.verdict == .ok, "\(result)")
            let stdout = try #require(result.streams.first)
            #expect(stdout.bytes >= 100_000 && stdout.bytes < 101_000 && stdout.digest == stdout.writtenDigest)
        }
    }

    /// The worker that reads the end has not read the begin.
    @Test func aRestartedWorkerKnowsTheWholeOutput() async throws {
        try await DetachedLauncher.with { launcher in
            try await LocalPool.with(launcher: .socket(path: launcher.socket)) { local in
                var spec = Self.spec(
                    "head -c 1500000 /dev/zero | tr '\\0' x >&2; echo before; read line; "
                        + "head -c 1500000 /dev/zero | tr '\\0' x >&2")
                spec.stdin = .stream
                let sandbox = try await Sandbox.create(spec, in: local.pool)
                for try await line in sandbox.stdout.lines where line == "before" { break }
                try await local.restartWorker()
                try await sandbox.stdin.write("on\n")
                try await sandbox.stdin.finish()
                #expect(try await sandbox.wait() == 0)
                let result = try await local.pool.verifyOutput(of: sandbox.id.text)
                #expect(result.verdict == .ok, "\(result)")
                #expect(result.streams.map(\.writtenBytes) == [7, 3_000_000])
                #expect(result.streams.last?.writtenDigest == Self.xes)
            }
        }
    }
}
