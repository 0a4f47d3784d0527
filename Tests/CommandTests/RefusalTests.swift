import FoundationEssentials
import Glibc
import SandpoolTestSupport
import Testing

/// What a coordinator refuses is one line and 125; nothing of it is stored, and the coordinator goes on.
@Suite(.timeLimit(.minutes(3))) struct RefusalTests {
    private struct Case {
        var arguments: [String]
        var expected: String
        var environment: [String: String] = [:]

        init(_ arguments: [String], _ expected: String, _ environment: [String: String] = [:]) {
            self.arguments = arguments
            self.expected = expected
            self.environment = environment
        }
    }

    @Test func badSpecsAndTokens() async throws {
        try await PoolProcesses.with { pool in
            let folder = pool.directory.path
            let long = String(repeating: "x", count: 100_000)
            let many = (0..<60).map { "A\($0)=\(long)\n" }.joined()
            try Data(many.utf8).write(to: URL(filePath: "\(folder)/many"))
            try Data("A=\(long)\(long)\n".utf8).write(to: URL(filePath: "\(folder)/long"))
            try Data(pool.check(["token", "create", "--role", "read", "r"]).utf8)
                .write(to: URL(filePath: "\(folder)/read.token"))
            let cases = [
                Case(["run", "--image", "Bad Image", "--", "true"], "image: 'Bad Image' is not an image; use host"),
                Case(
                    ["submit", "--image", "docker.io/x", "--", "true"], "a registry, which is not supported yet; use"),
                Case(["run", "--name", "a b", "--", "true"], "name: 'a b' is not a name; use 1 to 63"),
                Case(["run", "--timeout", "100000000", "--", "true"], "more than this pool allows; use at most"),
                Case(["run", "-u70000", "--", "true"], "user: '70000' is not a user"),
                Case(["run", "-wrelative", "--", "true"], "workdir: 'relative' is not an absolute path"),
                Case(["run", "--env-file", "\(folder)/long", "--", "true"], "environment.A: 200002 bytes, more than"),
                Case(["run", "--env-file", "\(folder)/many", "--", "true"], "more than 4MiB; pass large data by"),
                Case(["submit", "--env-file", "\(folder)/many", "--", "true"], "more than 4MiB; pass large data by"),
                Case(["run", "--mount", "/nonexistent:/x", "--", "true"], "cannot read /nonexistent"),
                Case(
                    ["run", "--download", "/o:/nonexistent/x", "--", "true"],
                    "download: cannot write into /nonexistent: No such file or directory; make"),
                Case(["show", "nosuch"], "job 'nosuch': there is nothing of that name"),
                Case(["wait", "nosuch"], "job 'nosuch': there is nothing of that name"),
                Case(["worker", "drain", "nosuch"], "there is nothing of that name"),
                Case(
                    ["run", "--", "true"],
                    "\(pool.url) does not know this token, or it was revoked; set SANDPOOL_TOKEN",
                    ["SANDPOOL_TOKEN": "wrong"]),
                Case(["ls"], "does not know this token, or it was revoked", ["SANDPOOL_TOKEN": "wrong"]),
                Case(
                    ["run", "--", "true"], "a valid token is needed; set SANDPOOL_TOKEN", ["SANDPOOL_TOKEN_FILE": ""]),
                Case(
                    ["run", "--", "true"],
                    "a token with the role read may not do this; use a token with the role submit",
                    ["SANDPOOL_TOKEN_FILE": "\(folder)/read.token"]),
            ]
            for row in cases {
                let result = try pool.run(row.arguments, environment: row.environment)
                #expect(result.status == 125, "\(row.arguments)")
                #expect(result.stdout.isEmpty, "\(row.arguments)")
                #expect(result.lines.count == 1, "\(row.arguments): \(result.stderr)")
                #expect(result.stderr.contains(row.expected), "\(row.arguments): \(result.stderr)")
            }
            #expect(try pool.jobs().isEmpty)

            try await pool.endCoordinator(by: SIGTERM)
            let down = try pool.run(["run", "--", "true"])
            #expect(down.status == 125)
            #expect(
                down.stderr == "sandpool: cannot reach coordinator at \(pool.url): connection refused; "
                    + "start it, or try --local\n")
        }
    }

    @Test(.enabled(if: geteuid() == 0, "sandboxes need root"))
    func whatNoWorkerCanDo() async throws {
        try await PoolProcesses.with(worker: true) { pool in
            for (options, expected) in [
                (["--require", "zone=moon"], "require: no worker has zone=moon; list labels with"),
                (["--cpus", "64"], "no worker is large enough: cpus: 64.0 wanted, there are 2.0 on the nearest"),
                (
                    ["--memory", "1TiB"],
                    "no worker is large enough: memory: 1TiB wanted, there are 4GiB on the nearest"
                ),
            ] {
                for verb in ["run", "submit"] {
                    let result = try pool.run([verb] + options + ["--", "true"])
                    #expect(result.status == 125)
                    #expect(result.lines.count == 1, "\(result.stderr)")
                    #expect(result.stderr.contains(expected), "\(result.stderr)")
                }
            }
            #expect(try pool.jobs().isEmpty)

            for (command, code, expected) in [
                (["no-such-program"], 127, "no-such-program: command not found"),
                (["/no/such/program"], 127, "/no/such/program: command not found"),
                (["/etc/passwd"], 126, "/etc/passwd: cannot be executed: permission denied"),
                (["/etc"], 126, "/etc: cannot be executed: permission denied"),
            ] as [([String], Int32, String)] {
                for options in [[], ["--cpus", "1"]] {
                    let result = try pool.run(["run", "--block-network"] + options + ["--"] + command)
                    #expect(result.status == code)
                    #expect(result.stderr == "sandpool: \(expected)\n")
                }
            }
            // A command's own 127 is the command's to explain.
            let own = try pool.run(["run", "--block-network", "--", "sh", "-c", "exit 127"])
            #expect(own.status == 127)
            #expect(own.stderr.isEmpty)
            let user = try pool.run(["run", "--block-network", "-unobody-here", "--", "true"])
            #expect(user.status == 125)
            #expect(user.stderr == "sandpool: user: user nobody-here is not in the image's /etc/passwd\n")
        }
    }
}
