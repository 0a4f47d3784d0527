import FoundationEssentials
import Glibc
import SandpoolTestSupport
import Testing

/// A service that cannot start says why in one line and ends with 125; what it found stays as it was.
@Suite(.timeLimit(.minutes(3))) struct ServiceFaultTests {
    private func start(_ pool: PoolProcesses, _ data: String, port: String = "127.0.0.1:0", as user: [String] = [])
        async throws -> Program.Result
    {
        let program = try RunningProgram(
            user + [Program.path, "coordinator", "start", "--data-dir", data, "--listen", port])
        return try await program.end()
    }

    private func expect(_ result: Program.Result, _ line: String) {
        #expect(result.status == 125)
        #expect(result.stdout.isEmpty)
        #expect(result.stderr == "sandpool: \(line)\n")
    }

    @Test func aCoordinatorThatCannotHaveItsPlace() async throws {
        try await PoolProcesses.with { pool in
            let address = pool.url.dropFirst("http://".count)
            let other = "\(pool.directory.path)/other-coordinator"
            expect(
                try await start(pool, other, port: String(address)),
                "\(address) is in use by another process; stop it or choose another --listen")
            expect(
                try await start(pool, pool.data),
                "\(pool.data) is in use by another coordinator; stop that one or choose another --data-dir")
            #expect(try pool.jobs().isEmpty)
        }
    }

    @Test func aDirectoryOfANewerVersion() async throws {
        try await PoolProcesses.with { pool in
            try pool.check(["submit", "--", "true"])
            try await pool.endCoordinator(by: SIGTERM)
            let version = "\(pool.data)/version"
            try Data("99\n".utf8).write(to: URL(filePath: version))
            expect(
                try await start(pool, pool.data),
                "\(pool.data) has the format 99, and this Sandpool knows 1; upgrade Sandpool or choose another "
                    + "--data-dir")
            try Data("1\n".utf8).write(to: URL(filePath: version))

            // `PRAGMA user_version` is at byte 60: https://www.sqlite.org/fileformat.html#the_database_header
            let other = "\(pool.directory.path)/newer"
            try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: true)
            let database = "\(other)/sandpool.sqlite"
            var newer = try Data(contentsOf: URL(filePath: "\(pool.data)/sandpool.sqlite"))
            newer.replaceSubrange(60..<64, with: [0, 0, 0, 99])
            try newer.write(to: URL(filePath: database))
            let refused = try await start(pool, other)
            #expect(refused.status == 125)
            #expect(refused.lines.count == 1, "\(refused.stderr)")
            #expect(refused.stderr.contains("database \(database) has version 99, this Sandpool knows up to "))
            #expect(refused.stderr.hasSuffix("; upgrade Sandpool\n"), "\(refused.stderr)")
            #expect(try Data(contentsOf: URL(filePath: database)) == newer)

            try await pool.startCoordinator()
            #expect(try pool.jobs().count == 1)
        }
    }

    /// Root may write anywhere, so somebody else tries.
    @Test(.enabled(if: geteuid() == 0, "only root can become somebody else"))
    func aDirectoryThatCannotBeWritten() async throws {
        try await PoolProcesses.with { pool in
            try pool.check(["submit", "--", "true"])
            try await pool.endCoordinator(by: SIGTERM)
            let nobody = ["/usr/bin/setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
            expect(
                try await start(pool, pool.data, as: nobody),
                "open \(pool.data)/lock: Permission denied; run as the directory's owner or choose another --data-dir")
            let new = "\(pool.directory.path)/new"
            expect(
                try await start(pool, new, as: nobody),
                "mkdir \(new): Permission denied; run as the directory's owner or choose another --data-dir")
            try await pool.startCoordinator()
            #expect(try pool.jobs().count == 1)
        }
    }

    /// What a worker logs before has a time in front.
    @Test(.enabled(if: geteuid() == 0, "workers need root"))
    func aWorkerThatCannotStart() async throws {
        try await PoolProcesses.with(worker: true) { pool in
            let folder = pool.directory.path
            let advice = "make one with `sandpool token create --role worker NAME` and pass it with --token-file"
            for (directory, environment, expected) in [
                ("worker", pool.environment, "\(folder)/worker/worker is in use by another worker; stop that one or"),
                (
                    "other", ["SANDPOOL_TOKEN": "wrong"],
                    "refused the worker's token: a valid token is needed; \(advice)"
                ),
                ("other", [:], "refused the worker's token: a valid token is needed; \(advice)"),
                ("newer", pool.environment, "was written by a newer sandpool (format 99); upgrade this one, or choose"),
            ] {
                if directory == "newer" {
                    try Data("99\n".utf8).write(to: URL(filePath: "\(folder)/other/worker/version"))
                }
                let name = directory == "newer" ? "other" : directory
                let program = try RunningProgram(
                    [Program.path, "worker", "start", "--coordinator", pool.url, "--data-dir", "\(folder)/\(name)"],
                    environment: environment)
                let result = try await program.end()
                #expect(result.status == 125, "\(result.stderr)")
                let lines = result.lines.filter { $0.hasPrefix("sandpool: ") }
                #expect(lines.count == 1, "\(result.stderr)")
                #expect(lines.last.map(String.init)?.contains(expected) == true, "\(result.stderr)")
            }
            #expect(try pool.run(["run", "--block-network", "--", "true"]).status == 0)
        }
    }
}
