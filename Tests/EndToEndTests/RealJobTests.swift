import Glibc
import Sandpool
import SandpoolModel
import Testing

/// Coordinator, worker and launcher as they run, one job of each kind.
@Suite(.enabled(if: geteuid() == 0, "sandboxes need root"), .serialized) struct RealJobTests {
    private func run(
        _ local: LocalPool, _ command: [String], _ edit: (inout JobSpec) -> Void = { _ in }
    ) async throws -> Job {
        var spec = JobSpec(command: command)
        spec.network.block = true
        edit(&spec)
        let job = try await local.pool.submit(spec)
        return try await local.pool.wait(for: job.id.text)
    }

    private func output(_ local: LocalPool, _ job: Job, _ stream: OutputStream = .stdout) async throws -> [UInt8] {
        try await Sandbox.attach(job.id.text, in: local.pool).read(stream)
    }

    @Test func everyKindOfEnd() async throws {
        try await LocalPool.with { local in
            let ok = try await run(local, ["sh", "-c", "echo out; echo err >&2"])
            #expect(ok.state == .succeeded && ok.returnCode == 0 && ok.cause == .exited, "\(ok.message ?? "")")
            #expect(try await output(local, ok) == Array("out\n".utf8))
            #expect(try await output(local, ok, .stderr) == Array("err\n".utf8))

            let failing = try await run(local, ["sh", "-c", "exit 42"])
            #expect(failing.state == .failed && failing.exitCode == 42 && failing.fault == .user)

            let killed = try await run(local, ["sh", "-c", "kill -SEGV $$"])
            #expect(killed.state == .failed && killed.signal == 11 && killed.returnCode == 139)
            #expect(killed.cause == .signaled)

            let slow = try await run(local, ["sleep", "600"]) {
                $0.timeoutSeconds = 0.2
                $0.graceSeconds = 1
            }
            #expect(slow.state == .timedOut && slow.returnCode == 124 && slow.cause == .timeout)

            let missing = try await run(local, ["no-such-program"])
            #expect(missing.state == .failed && missing.returnCode == 127, "\(missing.message ?? "")")

            let unknown = try await run(local, ["true"]) { $0.user = "nobody-of-that-name" }
            #expect(unknown.state == .errored && unknown.cause == .setupFailed && unknown.attempts.count == 1)
        }
    }

    /// A stream that is longer than a result carries, and one that is shorter, truncated and ended on.
    @Test(arguments: [2_000, 200_000]) func outputOverItsLimit(limit: Int) async throws {
        try await LocalPool.with { local in
            let mark = Array("\n[sandpool: output truncated at \(limit) bytes]\n".utf8)
            let expected = (0..<limit).map { $0 % 2 == 0 ? UInt8(ascii: "y") : UInt8(ascii: "\n") } + mark
            let cut = try await run(local, ["sh", "-c", "yes | head -c 1000000; exit 3"]) {
                $0.resources.outputBytes = Int64(limit)
            }
            #expect(cut.cause == .exited && cut.exitCode == 3, "\(cut.message ?? "")")
            #expect(try await output(local, cut) == expected)

            let ended = try await run(local, ["yes"]) {
                $0.resources.outputBytes = Int64(limit)
                $0.onOutputLimit = .end
            }
            #expect(ended.cause == .outputLimit && ended.state == .failed && ended.fault == .user)
            #expect(ended.returnCode == 137)
            #expect(ended.message?.contains("--output-limit") == true, "\(ended.message ?? "")")
            #expect(try await output(local, ended) == expected)
            let why = try await local.pool.why(ended.id.text)
            #expect(why.reasons.contains { $0.contains("--on-output-limit") }, "\(why.reasons)")
        }
    }

    @Test func aCancelledCommandEndsSo() async throws {
        try await LocalPool.with { local in
            var spec = JobSpec(command: ["sh", "-c", "echo up; sleep 600"])
            spec.network.block = true
            spec.graceSeconds = 1
            let sandbox = try await Sandbox.create(spec, in: local.pool)
            for try await line in sandbox.stdout.lines where line == "up" { break }
            try await sandbox.terminate()
            let job = try await local.pool.wait(for: sandbox.id.text)
            #expect(job.state == .cancelled && job.returnCode == 137)
            #expect(try await output(local, job) == Array("up\n".utf8))
        }
    }

    @Test func inputGoesThroughToItsEnd() async throws {
        try await LocalPool.with { local in
            var spec = JobSpec(command: ["sh", "-c", "wc -c; echo done"])
            spec.network.block = true
            spec.stdin = .stream
            let sandbox = try await Sandbox.create(spec, in: local.pool)
            let chunk = [UInt8](repeating: UInt8(ascii: "x"), count: 100_000)
            for _ in 0..<20 { try await sandbox.stdin.write(chunk) }
            try await sandbox.stdin.finish()
            #expect(try await sandbox.wait() == 0)
            #expect(try await sandbox.stdout.readText() == "2000000\ndone\n")
        }
    }

    @Test func tenMegabytesArriveByteForByte() async throws {
        try await LocalPool.with { local in
            let job = try await run(local, ["sh", "-c", "seq 1 1400000; echo end >&2"])
            #expect(job.state == .succeeded)
            var expected: [UInt8] = []
            for number in 1...1_400_000 { expected += "\(number)\n".utf8 }
            #expect(try await output(local, job) == expected)
            #expect(try await output(local, job, .stderr) == Array("end\n".utf8))
        }
    }

    @Test func manyJobsAtOnceAllEndRight() async throws {
        try await LocalPool.with { local in
            let specs = (0..<100).map { number in
                var spec = JobSpec(command: ["sh", "-c", "echo \(number); exit \(number)"])
                spec.network.block = true
                spec.resources.cpus = 0.25
                spec.resources.memoryBytes = 64 << 20
                spec.resources.diskBytes = 16 << 20
                return spec
            }
            let jobs = try await local.pool.submit(specs)
            for (number, job) in jobs.enumerated() {
                let ended = try await local.pool.wait(for: job.id.text)
                #expect(ended.exitCode == number, "\(ended.message ?? "")")
                #expect(ended.attempts.count == 1)
                #expect(try await output(local, ended) == Array("\(number)\n".utf8))
            }
        }
    }
}

extension Sandbox {
    fileprivate func read(_ stream: OutputStream) async throws -> [UInt8] {
        try await (stream == .stdout ? stdout : stderr).readAll()
    }
}
