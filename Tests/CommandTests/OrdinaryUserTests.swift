import FoundationEssentials
import Glibc
import SandpoolModel
import SandpoolTestSupport
import Testing

/// `--local` as a user without any privilege has it.
@Suite(.enabled(if: geteuid() == 0, "only root can become somebody else"), .serialized, .timeLimit(.minutes(2)))
struct OrdinaryUserTests {
    private static let user = OrdinaryUser.id

    /// A directory of that user's.
    private final class Home {
        let directory: TemporaryDirectory

        init() throws {
            directory = try TemporaryDirectory()
            chown(directory.path, user, user)
        }

        var path: String { directory.path }

        /// Without pasta unless the prefix says otherwise.
        func start(_ arguments: [String], prefix: [String] = OrdinaryUser.withoutNetwork) throws -> RunningProgram {
            try RunningProgram(
                prefix + OrdinaryUser.become + [Program.path] + arguments,
                environment: ["HOME": path, "XDG_RUNTIME_DIR": "\(path)/none"])
        }

        func run(_ arguments: [String], prefix: [String] = OrdinaryUser.withoutNetwork) throws -> Program.Result {
            try start(arguments, prefix: prefix).waitForEnd()
        }

        func write(_ text: String, to name: String) throws {
            try Data(text.utf8).write(to: URL(filePath: "\(path)/\(name)"))
            chown("\(path)/\(name)", user, user)
        }
    }

    private static let blocked = ["run", "--local", "--block-network"]

    @Test func streamsAndExitCodesArrive() throws {
        let home = try Home()
        let result = try home.run(Self.blocked + ["--", "sh", "-c", "id -u; echo err >&2; exit 42"])
        #expect(result.status == 42)
        #expect(result.stdout == "0\n")
        #expect(result.stderr == "err\n")
        // Everything is the user's own, and root's pool is another one.
        var status = stat()
        #expect(stat("\(home.path)/.local/share/sandpool/local", &status) == 0)
        #expect(status.st_uid == Self.user && status.st_mode & 0o777 == 0o700)
    }

    @Test func anEndByForceIsReported() async throws {
        let home = try Home()
        #expect(try home.run(Self.blocked + ["--timeout", "0.2", "--", "sleep", "1000"]).status == 124)
        let running = try home.start(Self.blocked + ["--name", "long", "--", "sh", "-c", "echo up; sleep 1000"])
        try await eventually("the command runs") { running.stdout == "up\n" || !running.isRunning }
        #expect(try home.run(["cancel", "--local", "long"]).status == 0)
        #expect(try await running.end().status == 137)
    }

    @Test func filesGoInAndOut() throws {
        let home = try Home()
        try home.write("given\n", to: "in")
        let script = "cat /data/in; echo made > /data/out"
        let result = try home.run(
            Self.blocked + [
                "--mount", "\(home.path)/in:/data/in", "--download", "/data/out:\(home.path)/got", "--", "sh", "-c",
                script,
            ])
        #expect(result.status == 0, "\(result.stderr)")
        #expect(result.stdout == "given\n")
        #expect(FileManager.default.contents(atPath: "\(home.path)/got") == Data("made\n".utf8))
    }

    @Test func defaultsThatCannotBeKeptAreTold() throws {
        let home = try Home()
        let file = "\(home.path)/result"
        let result = try home.run(["run", "--local", "-v", "--result", file, "--", "true"])
        #expect(result.status == 0)
        #expect(result.lines.contains { $0.hasPrefix("sandpool: it had no network") }, "\(result.stderr)")
        #expect(
            result.lines.contains { $0.hasPrefix("sandpool: not limited on this host: cpus, memoryBytes, pids") },
            "\(result.stderr)")
        let job = try JSONDecoder().decode(
            Job.self, from: try #require(FileManager.default.contents(atPath: file)))
        #expect(job.spec.network.isBlocked)
        #expect(job.attempts.last?.evidence?.leftOutLimits == ["cpus", "memoryBytes", "pids"])
        #expect(job.attempts.last?.evidence?.peakMemoryBytes == nil)
        // Told even where nobody asked for more: the command may fail for want of it.
        #expect(try home.run(["run", "--local", "--", "true"]).lines.count == 1)
        #expect(try home.run(Self.blocked + ["--", "true"]).lines.isEmpty)
    }

    @Test(
        arguments: [
            (["--memory", "256MiB"], "memoryBytes: cannot be limited: "),
            (["--cpus", "1"], "cpus: cannot be limited: "),
            (["--pids", "64"], "pids: cannot be limited: "),
            (["--allow-domain", "example.org"], "allowDomains: no network can be opened: "),
            (["--allow-cidr", "192.0.2.0/24"], "allowCIDRs: no network can be opened: "),
            (["--disk", "2GiB"], "diskBytes: no worker can make a disk of 2GiB"),
            (["--user", "1000"], "user 1000: without root and subordinate ids"),
        ] as [([String], String)])
    func whatCannotBeEnforcedIsRefusedWithTheReason(_ options: [String], _ expected: String) throws {
        let home = try Home()
        let network = expected.hasPrefix("allow") ? [] : ["--block-network"]
        let result = try home.run(["run", "--local"] + network + options + ["--", "true"])
        #expect(result.status == 125)
        #expect(result.lines.count == 1, "\(result.stderr)")
        #expect(result.stderr.contains(expected), "\(result.stderr)")
    }

    @Test(
        .enabled(if: access("/usr/bin/pasta", X_OK) == 0, "passt is not installed"),
        .enabled(if: access("/dev/net/tun", F_OK) == 0, "this kernel has no tun"))
    func withPastaThereIsANetwork() throws {
        let home = try Home()
        let prefix = ["/usr/bin/unshare", "--net"] + OrdinaryUser.withNetwork(nameserver: "203.0.113.53")
        let doctor = try home.run(["doctor"], prefix: prefix)
        #expect(doctor.stdout.contains("ok       open network"), "\(doctor.stdout)")
        let interfaces = ["--", "sh", "-c", "tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '"]
        let open = try home.run(["run", "--local"] + interfaces, prefix: prefix)
        #expect(open.stdout == "lo\neth0\n" && open.lines.isEmpty, "\(open.stderr)")
        let explicit = try home.run(["run", "--local", "--allow-domain", "example.org", "--", "true"], prefix: prefix)
        #expect(explicit.status == 0, "\(explicit.stderr)")
        #expect(try home.run(Self.blocked + interfaces, prefix: prefix).stdout == "lo\n")
    }

    /// The kernel gives no user namespace to who is in a chroot (user_namespaces(7)).
    @Test func aHostWithoutUserNamespacesIsNamed() throws {
        let home = try Home()
        mkdir("\(home.path)/root", 0o755)
        let script = #"mount --rbind / "$0" && exec chroot "$0" "$@""#
        let prefix = [
            "/usr/bin/unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", script, "\(home.path)/root",
        ]
        let result = try home.run(Self.blocked + ["--", "true"], prefix: prefix)
        #expect(result.status == 125)
        #expect(result.lines.count == 1, "\(result.stderr)")
        #expect(result.stderr.contains("this host gives user \(Self.user) no user namespace"), "\(result.stderr)")
        #expect(result.stderr.contains("sandpool doctor"))
        let ordinary = try home.run(["doctor"])
        #expect(ordinary.status == 0 && ordinary.stdout.contains("ok       user namespaces"), "\(ordinary.stdout)")
        #expect(ordinary.stdout.contains("removals"), "\(ordinary.stdout)")
        // What this host has for root is nothing to him.
        #expect(ordinary.stdout.contains("missing  big disks             without root a --disk has to be smaller"))
        let doctor = try home.run(["doctor"], prefix: prefix)
        #expect(doctor.status == 1)
        #expect(doctor.stdout.contains("MISSING  user namespaces"), "\(doctor.stdout)")
    }

    @Test func nothingOfItIsLeft() async throws {
        let home = try Home()
        #expect(try home.run(Self.blocked + ["--", "sh", "-c", "sleep 1000 & exit 3"]).status == 3)
        try await eventually("every process of the user's is gone") {
            try FileManager.default.contentsOfDirectory(atPath: "/proc").allSatisfy { name in
                var status = stat()
                return Int(name) == nil || stat("/proc/\(name)", &status) != 0 || status.st_uid != Self.user
            }
        }
    }
}
