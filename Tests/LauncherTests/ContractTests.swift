import Glibc
import LinuxSystem
import SandpoolSandbox
import Testing

/// What a command is given: exactly what the plan says.
@Suite struct ContractTests {
    @Test func argumentsAreExact() throws {
        try withLauncher { launcher in
            let words = ["", " ", "a b", "'\"$`\\", "ä€😀", "-n", "line\nline", "\u{1}\u{7f}"]
            var plan = SandboxPlan.test("/usr/bin/printf", "%s\\0")
            plan.arguments += words
            let finished = try launcher.run(plan)
            #expect(finished.output == words.flatMap { Array($0.utf8) + [0] })
        }
    }

    @Test func theEnvironmentIsThePlansAndHome() throws {
        try withLauncher { launcher in
            let finished = try launcher.run(.test("/usr/bin/env", environment: ["A=1", "B=x y=z", "EMPTY="]))
            let lines = Set(finished.text.split(separator: "\n").map(String.init))
            let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
            #expect(lines == [path, "A=1", "B=x y=z", "EMPTY=", "HOME=/root"])
        }
    }

    @Test func theRestOfTheProcessIsPlain() throws {
        try withLauncher { launcher in
            let script = "id -u; id -g; umask; pwd; hostname; ulimit -c; ls /proc/self/fd | tr '\\n' ' '; tty"
            let finished = try launcher.run(.shell(script))
            // `ls` itself has the directory open as 3.
            #expect(finished.text == "0\n0\n0022\n/\nbox\n0\n0 1 2 3 not a tty\n")
        }
    }

    @Test func aUserIsTakenFromTheImage() throws {
        try withLauncher { launcher in
            try #expect(
                launcher.run(.test("/usr/bin/id", user: "daemon")).text.hasPrefix("uid=1(daemon) gid=1(daemon)"))
            try #expect(launcher.run(.test("/usr/bin/id", "-u", user: "54321")).text == "54321\n")
            for user in ["no-such-user", "65536", "-1", ""] {
                let failure = try launcher.failure(of: .test("/bin/true", user: user))
                #expect(failure.kind == .spec && failure.stage == "user", "\(user): \(failure)")
            }
        }
    }

    @Test func aWorkingDirectoryIsMadeForItsUser() throws {
        try withLauncher { launcher in
            let plan = SandboxPlan.test(
                "/bin/sh", "-c", "pwd; touch here && echo ok", workingDirectory: "/a/b", user: "1000")
            try #expect(launcher.run(plan).text == "/a/b\nok\n")
            for path in ["/etc/passwd", "/proc/self/fd/3", "/proc/1/root/etc"] {
                let failure = try launcher.failure(of: .test("/bin/true", workingDirectory: path))
                #expect(failure.stage == "workdir" && failure.kind == .spec, "\(path): \(failure)")
            }
        }
    }

    @Test func streamsAreApartAndByteExact() throws {
        try withLauncher { launcher in
            let script = "head -c 300000 /dev/urandom > /tmp/x; cat /tmp/x; cat /tmp/x >&2; sha256sum < /tmp/x >&2"
            let finished = try launcher.run(.shell(script))
            #expect(finished.output.count == 300_000)
            #expect(Array(finished.error[..<300_000]) == finished.output)
            #expect(finished.report.outputTruncated == false)
        }
    }

    @Test func inputReachesTheCommandAndEnds() throws {
        try withLauncher { launcher in
            let plan = SandboxPlan.test("/bin/cat", stdin: .pipe)
            var started = try launcher.start(plan)
            let bytes = (0..<50_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            try #require(started.input).writeAll(bytes)
            started.input = nil
            try launcher.send(.closeInput(id: plan.id))
            let finished = try launcher.finish(plan.id, started)
            #expect(finished.output == bytes)
            #expect(finished.report.end == .exited(code: 0))
        }
    }

    @Test func withoutInputThereIsNone() throws {
        try withLauncher { launcher in
            try #expect(launcher.run(.test("/usr/bin/wc", "-c")).text == "0\n")
        }
    }

    @Test func outputBeyondTheLimitIsDroppedWithAMark() throws {
        try withLauncher { launcher in
            let finished = try launcher.run(
                .test("/bin/sh", "-c", "yes | head -c 5000000; echo e >&2; exit 5", output: 1_000))
            let mark = "\n[sandpool: output truncated at 1000 bytes]\n"
            #expect(finished.text == String(repeating: "y\n", count: 500) + mark)
            #expect(finished.errorText == "e\n")
            #expect(finished.report.outputTruncated)
            #expect(finished.report.end == .exited(code: 5))
            let exact = try launcher.run(.test("/bin/sh", "-c", "head -c 1000 /dev/zero", output: 1_000))
            #expect(exact.output == [UInt8](repeating: 0, count: 1_000))
            #expect(!exact.report.outputTruncated)
        }
    }

    @Test func aPlanThatCannotWorkIsRefused() throws {
        try withLauncher { launcher in
            var plans: [SandboxPlan] = []
            for change: (inout SandboxPlan) -> Void in [
                { $0.arguments = [] }, { $0.workingDirectory = "relative" }, { $0.environment = ["NOVALUE"] },
                { $0.arguments = ["a\0b"] }, { $0.limits.diskBytes = 1 << 51 }, { $0.limits.memoryBytes = 1 },
                { $0.hostname = "" }, { $0.root = .layers([]) }, { $0.root = .layers(["../x"]) },
                { $0.mounts = [.init(layer: "a", path: "/../x", isFile: false)] }, { $0.downloads = ["/"] },
            ] {
                var plan = SandboxPlan.test("/bin/true")
                change(&plan)
                plans.append(plan)
            }
            for plan in plans {
                let failure = try launcher.failure(of: plan)
                #expect(failure.kind == .spec && failure.stage == "plan", "\(failure)")
            }
            try #expect(launcher.run(.test("/bin/true")).report.end == .exited(code: 0))
        }
    }

    @Test func aPlanThatIsNotSealedIsRefused() throws {
        try withLauncher { launcher in
            let pipe = try Pipe()
            try pipe.writeEnd.writeAll(SandboxPlan.test("/bin/true").encoded())
            try launcher.send(.start(id: "test"), [pipe.readEnd])
            guard case .failed(let failure) = try launcher.outcome(of: "test") else { throw TestFailure("it started") }
            #expect(failure.stage == "plan")
        }
    }
}
