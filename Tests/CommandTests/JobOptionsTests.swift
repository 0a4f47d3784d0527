import ArgumentParser
import SandpoolModel
import Testing

@testable import SandpoolCommands

/// What each option makes of a spec.
@Suite struct JobOptionsTests {
    private func spec(_ arguments: [String], policy: DisconnectPolicy = .cancel) throws -> JobSpec {
        let command = try Run.parse(arguments)
        return try command.job.spec(policy: policy, stdin: command.passesInput ? .stream : .none)
    }

    /// The spec of `true`, changed.
    private static func with(_ change: (inout JobSpec) -> Void) -> JobSpec {
        var spec = JobSpec(command: ["true"])
        spec.onDisconnect = .cancel
        change(&spec)
        return spec
    }

    @Test(arguments: [
        ([], with { _ in }),
        (["--image", "mmdebstrap:bookworm"], with { $0.image = "mmdebstrap:bookworm" }),
        (["--cpus", "0.5"], with { $0.resources.cpus = 0.5 }),
        (["--memory", "512m"], with { $0.resources.memoryBytes = 512 << 20 }),
        (["--disk=2GiB"], with { $0.resources.diskBytes = 2 << 30 }),
        (["--pids", "7"], with { $0.resources.pids = 7 }),
        (["--timeout", "90"], with { $0.timeoutSeconds = 90 }),
        (["--timeout", "1h30m"], with { $0.timeoutSeconds = 5_400 }),
        (["--grace", "500ms"], with { $0.graceSeconds = 0.5 }),
        (["--queue-timeout", "1m"], with { $0.queueTimeoutSeconds = 60 }),
        (["--idle-timeout", "2"], with { $0.idleTimeoutSeconds = 2 }),
        (["--block-network"], with { $0.network.block = true }),
        (
            ["--allow-cidr", "192.0.2.0/24", "--allow-cidr", "198.51.100.1"],
            with { $0.network.allowCIDRs = ["192.0.2.0/24", "198.51.100.1"] }
        ),
        (["--allow-domain", "*.example.org"], with { $0.network.allowDomains = ["*.example.org"] }),
        (
            ["-w", "/repo", "-u", "1000"],
            with {
                $0.workingDirectory = "/repo"; $0.user = "1000"
            }
        ),
        (["-e", "A=1", "--env", "B=x=y", "-e", "C="], with { $0.environment = ["A": "1", "B": "x=y", "C": ""] }),
        (
            ["--name", "n", "--tag", "a=1", "--tag", "b="],
            with {
                $0.name = "n"; $0.tags = ["a": "1", "b": ""]
            }
        ),
        (["--require", "zone=a"], with { $0.require = ["zone": "a"] }),
        (["--priority", "-5"], with { $0.priority = -5 }),
        (
            ["--retries", "2", "--rerun", "never"],
            with {
                $0.retries = 2; $0.rerun = .never
            }
        ),
        (
            ["--key", "k"],
            with {
                $0.idempotencyKey = "k"; $0.onDisconnect = .detach
            }
        ),
        (["--key", "k", "--on-disconnect", "cancel"], with { $0.idempotencyKey = "k" }),
        (["--on-disconnect", "detach"], with { $0.onDisconnect = .detach }),
        (
            ["--output-limit", "1MiB", "--on-output-limit", "end"],
            with {
                $0.resources.outputBytes = 1 << 20; $0.onOutputLimit = .end
            }
        ),
        (["-i"], with { $0.stdin = .stream }),
    ])
    func becomeASpec(_ options: [String], _ expected: JobSpec) throws {
        #expect(try spec(options + ["--", "true"]) == expected)
    }

    @Test(arguments: [
        (["--", "-x", "--help"], ["-x", "--help"]),
        (["--", "--", "x"], ["--", "x"]),
        (["echo", "-n", "--", "--memory"], ["echo", "-n", "--", "--memory"]),
        (["--", "sh", "-c", "exit 3"], ["sh", "-c", "exit 3"]),
        (["--", "printf", ""], ["printf", ""]),
    ])
    func theCommandIsTakenAsItIs(_ arguments: [String], _ command: [String]) throws {
        #expect(try spec(arguments).command == command)
    }

    @Test func variablesComeFromFilesAndFromHere() throws {
        let options = try SurroundingsOptions.parse(["-e", "HERE", "-e", "NOWHERE", "-e", "SET=over"])
        let variables = try options.variables(host: ["HERE": "yes", "SET": "under", "OTHER": "no"])
        #expect(variables == ["HERE": "yes", "SET": "over"])
    }

    @Test(
        arguments: [
            ("a:/b", false, "a", "/b"), ("/x/y:/b/../c", false, nil, nil), ("c:d:/e", false, "c:d", "/e"),
            ("/out:x:y", true, "x:y", "/out"), (":/a", false, nil, nil), ("a:", false, nil, nil),
        ] as [(String, Bool, String?, String?)])
    func pairs(_ text: String, _ remoteFirst: Bool, _ local: String?, _ remote: String?) {
        let pair = try? PathPair(parsing: text, remoteFirst: remoteFirst)
        #expect(pair?.local == local)
        #expect(pair?.remote == remote)
    }
}
