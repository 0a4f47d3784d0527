import Glibc
import LinuxSystem
import Logging
import Sandpool
import SandpoolCoordinator
import SandpoolModel
import SandpoolTestSupport
import SandpoolWorker
import Testing

/// A worker that ends and comes back finds its sandboxes as they are.
@Suite(.enabled(if: geteuid() == 0, "sandboxes need root"), .serialized) struct AdoptionTests {
    @Test func aRestartedWorkerTakesItsSandboxesOver() async throws {
        try await DetachedLauncher.with { launcher in
            try await LocalPool.with(launcher: .socket(path: launcher.socket)) { local in
                var spec = JobSpec(command: ["sh", "-c", "echo before; read line; echo after $line; exit 5"])
                spec.network.block = true
                spec.stdin = .stream
                let sandbox = try await Sandbox.create(spec, in: local.pool)
                for try await line in sandbox.stdout.lines where line == "before" { break }

                try await local.restartWorker()

                try await sandbox.stdin.write("restart\n")
                try await sandbox.stdin.finish()
                #expect(try await sandbox.wait() == 5)
                #expect(try await sandbox.stdout.readText() == "before\nafter restart\n")
                #expect(try await sandbox.poll().attempts.count == 1)
            }
        }
    }

    @Test(.timeLimit(.minutes(1))) func aStartUnderWayIsTakenOverToo() async throws {
        try await DetachedLauncher.with { launcher in
            try await LocalPool.with(launcher: .socket(path: launcher.socket)) { local in
                // The first job shows that worker and launcher know each other.
                for (round, command) in [["true"], ["sh", "-c", "echo $$; exit 7"], ["no-such-program"]].enumerated() {
                    var spec = JobSpec(command: command)
                    spec.network.block = true
                    let records = "\(local.directory)/worker/attempts"
                    if round > 0 { launcher.pause() }
                    let job = try await local.pool.submit(spec)
                    if round > 0 {
                        // The worker writes the record just before it asks for the start.
                        try await eventually("there is a record") {
                            try LauncherTraces.names(in: records).contains { name in
                                let bytes = try FileDescriptor.open("\(records)/\(name)", O_RDONLY)
                                    .readAll(limit: 1 << 20)
                                return String(decoding: bytes, as: UTF8.self).contains(job.id.text)
                            }
                        }
                        try await local.restartWorker()
                        launcher.resume()
                    }
                    let ended = try await local.pool.wait(for: job.id.text)
                    #expect(ended.returnCode == [0, 7, 127][round], "\(ended)")
                    #expect(ended.attempts.count == 1)
                }
            }
        }
    }
}
