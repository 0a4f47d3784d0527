import Glibc
import Sandpool
import SandpoolModel
import SandpoolTestSupport
import Testing

/// Further commands in a sandbox, from the library down to the kernel.
@Suite(.enabled(if: geteuid() == 0, "sandboxes need root"), .serialized, .timeLimit(.minutes(2))) struct ExecTests {
    private static func box(_ local: LocalPool, _ edit: (inout JobSpec) -> Void = { _ in }) async throws -> Sandbox {
        var spec = JobSpec(command: ["sleep", "600"])
        spec.network.block = true
        spec.graceSeconds = 1
        spec.resources.cpus = 0.5
        edit(&spec)
        return try await Sandbox.create(spec, in: local.pool)
    }

    /// Asked for while it is still queued: the library waits for the start.
    @Test func codesAndStreamsAreTheCommands() async throws {
        try await LocalPool.with { local in
            let sandbox = try await Self.box(local)
            let first = try await sandbox.exec("echo out; echo err >&2; exit 3")
            #expect(try await first.wait() == 3 && first.returnCode == 3)
            #expect(try await first.stdout.readText() == "out\n")
            #expect(try await first.stderr.readText() == "err\n")
            #expect(try await sandbox.exec("kill -9 $$").wait() == 137)
            #expect(try await sandbox.exec("no-such-program", "x").wait() == 127)
            let own = try await sandbox.exec(
                "pwd; id -u; echo $OWN", environment: ["OWN": "1"], workingDirectory: "/usr", user: "1000")
            #expect(try await own.stdout.readText() == "/usr\n1000\n1\n")
            try await sandbox.terminate()
            _ = try? await sandbox.wait()
            let late = await #expect(throws: SandpoolError.self) { try await sandbox.exec("true") }
            #expect(late?.code == "not_running")
        }
    }

    /// Ten megabytes of every byte there and back, twice at once.
    @Test func bytesGoThereAndBackUnchanged() async throws {
        let bytes = (0..<(10 << 20)).map { UInt8(truncatingIfNeeded: $0 ^ ($0 >> 7) ^ ($0 >> 13)) }
        try await LocalPool.with { local in
            let sandbox = try await Self.box(local)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<2 {
                    group.addTask {
                        let process = try await sandbox.exec("cat; echo done >&2", stdin: true)
                        async let writing: Void = {
                            try await process.stdin.write(bytes)
                            try await process.stdin.finish()
                        }()
                        #expect(try await process.stdout.readAll() == bytes)
                        try await writing
                        #expect(try await process.stderr.readText() == "done\n")
                        #expect(try await process.wait() == 0)
                    }
                }
                try await group.waitForAll()
            }
            try await sandbox.terminate()
        }
    }

    /// Output that nobody reads waits where it is, up to the job's limit, and holds nobody else up.
    @Test func aReaderThatStallsHoldsUpNobodyElse() async throws {
        try await LocalPool.with { local in
            let limit = 16 << 20
            let sandbox = try await Self.box(local) { $0.resources.outputBytes = Int64(limit) }
            let stalled = try await sandbox.exec("yes")
            for try await _ in stalled.stdout { break }
            for round in 0..<20 {
                var spec = JobSpec(command: ["sh", "-c", "head -c 1000000 /dev/zero; exit \(round)"])
                spec.network.block = true
                spec.resources.cpus = 0.5
                let neighbour = try await Sandbox.create(spec, in: local.pool)
                #expect(try await neighbour.wait() == round)
                #expect(try await neighbour.stdout.readAll().count == 1_000_000)
                #expect(try await sandbox.exec("exit \(round)").wait() == round)
            }
            try await stalled.terminate()
            try await sandbox.terminate()
            // Whoever comes late gets all of it that there was room for.
            let late = try await stalled.stdout.readAll()
            #expect(late.count > 8 << 20 && late.count <= limit + Int(SpecBounds.outputMarkBytes))
            #expect(late.prefix(limit - (1 << 20)).allSatisfy { $0 == UInt8(ascii: "y") || $0 == UInt8(ascii: "\n") })
        }
    }

    /// Twice what waits on the worker at most, byte by byte: what was read makes room for what follows.
    @Test func aStreamLongerThanItsSpoolIsWhole() async throws {
        let (period, rounds) = (1_000_003, 140)
        let script = """
            import sys
            block = bytes((i ^ i >> 7 ^ i >> 13) & 255 for i in range(\(period)))
            for _ in range(\(rounds)): sys.stdout.buffer.write(block)
            """
        // Many times, so that whatever begins in the first is in one piece.
        let blocks = (0..<10 * period).map { index in
            let i = index % period
            return UInt8(truncatingIfNeeded: i ^ (i >> 7) ^ (i >> 13))
        }
        try await LocalPool.with { local in
            let sandbox = try await Self.box(local)
            let process = try await sandbox.exec("python3", "-c", script)
            var position = 0
            for try await piece in process.stdout {
                let place = position % period
                try #require(place + piece.count <= blocks.count)
                let isWhole = blocks.withUnsafeBytes { blocks in
                    blocks.baseAddress.map { memcmp($0 + place, piece, piece.count) == 0 }
                }
                try #require(isWhole == true, "something else at \(position)")
                position += piece.count
            }
            #expect(position == period * rounds)
            #expect(try await process.wait() == 0)
            try await sandbox.terminate()
        }
    }

    /// As of a job: what is beyond the limit is dropped, and that is said.
    @Test func outputIsCutAtTheJobsLimit() async throws {
        try await LocalPool.with { local in
            let sandbox = try await Self.box(local) { $0.resources.outputBytes = 100_000 }
            let stream = ExecStream(
                local.pool, job: sandbox.id.text, ExecSpec(command: ["head", "-c", "200000", "/dev/zero"]))
            try await eventually("the sandbox runs") { try await sandbox.poll().state == .running }
            try await stream.open()
            var (bytes, end) = (0, ExecEnd?.none)
            while let event = try await stream.next() {
                if case .output(.stdout, let piece) = event { bytes += piece.readableBytes }
                if case .ended(let how) = event { end = how }
            }
            #expect(bytes > 100_000 && bytes <= 100_000 + Int(SpecBounds.outputMarkBytes))
            #expect(end?.exitCode == 0 && end?.message?.hasPrefix("a stream was cut at its limit of 100000B") == true)
            try await sandbox.terminate()
        }
    }

    @Test func terminationIsTheCommandsAndNotTheSandboxes() async throws {
        try await LocalPool.with { local in
            let sandbox = try await Self.box(local)
            let process = try await sandbox.exec("trap 'echo bye; exit 9' TERM; echo up; sleep 600 & wait")
            for try await line in process.stdout.lines where line == "up" { break }
            try await process.terminate()
            #expect(try await process.wait() == 137, "a cancel, whatever the command made of it")
            #expect(try await process.stdout.readText() == "bye\n")
            #expect(try await sandbox.poll().state == .running)
            try await sandbox.terminate()
        }
    }

    @Test func aWorkerThatRestartsEndsItAndTheJobGoesOn() async throws {
        try await DetachedLauncher.with { launcher in
            try await LocalPool.with(launcher: .socket(path: launcher.socket)) { local in
                let sandbox = try await Self.box(local)
                let process = try await sandbox.exec("echo up; exec sleep 500")
                for try await line in process.stdout.lines where line == "up" { break }
                try await local.restartWorker()
                let error = await #expect(throws: SandpoolError.self) { try await process.wait() }
                #expect(error?.code == "exec_lost")
                // Until the new worker is there, it is away.
                try await eventually("the sandbox takes commands again, without the old one") {
                    let script = "! grep -qs '^sleep.500' /proc/[0-9]*/cmdline"
                    return try await (try? sandbox.exec(script))?.wait() == 0
                }
                #expect(try await sandbox.poll().attempts.count == 1)
                try await sandbox.terminate()
            }
        }
    }
}
