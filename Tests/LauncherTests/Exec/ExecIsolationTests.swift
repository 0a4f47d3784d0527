import Foundation
import SandpoolProbes
import SandpoolSandbox
import Testing

/// A further command is held by everything that holds the main one, and its start opens nothing.
@Suite struct ExecIsolationTests {
    /// All that a process can be asked about itself.
    private static let posture = """
        for n in user mnt pid net ipc uts cgroup time; do readlink /proc/self/ns/$n; done
        grep -E '^(Cap|NoNewPrivs|Seccomp|Uid|Gid|Groups|SigIgn|SigBlk|Umask|Speculation|Cpus)' /proc/self/status
        cat /proc/self/limits /proc/self/mountinfo /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups
        cat /proc/self/oom_score_adj /proc/self/timerslack_ns /proc/self/coredump_filter /proc/self/attr/current
        nice; hostname; pwd; tty; readlink /proc/self/root /proc/self/cwd
        ls -l /proc/self/fd/ | wc -l; ls /dev /proc/sys/kernel | wc -l
        cut -d' ' -f 5,6,7 /proc/self/stat | awk '{ print ($1 == $2), $3 }'
        """

    @Test(arguments: ["0", "1000", "33"], [SandboxPlan.CapabilityProfile.run, .build])
    func itsPostureIsThatOfTheMainOne(user: String, profile: SandboxPlan.CapabilityProfile) throws {
        try withLauncher { launcher in
            let script = Self.posture + "\necho up >&2; read line"
            var plan = SandboxPlan.test("/bin/sh", "-c", script, user: user, capabilities: profile, stdin: .pipe)
            plan.limits.outputBytes = 1 << 20
            let main = try launcher.start(plan)
            let exec = ExecPlan.test("/bin/sh", "-c", script, user: user, stdin: .pipe)
            let beside = try launcher.startExec(exec)
            var texts: [[Substring]] = []
            // The end of the main one would be that of the other.
            for (id, started) in [("exec", beside), ("test", main)] {
                try #require(started.input).writeAll(Array("\n".utf8))
                try texts.append(launcher.finish(id, started).text.split(separator: "\n"))
            }
            #expect(texts[0].count > 60 && texts[0].count == texts[1].count)
            for (theirs, own) in zip(texts[1], texts[0]) { #expect(theirs == own) }
        }
    }

    @Test func ofTheHostItHasNothing() throws {
        try withWaitingSandbox { launcher in
            let directory = try #require(launcher.process).dataDirectory
            let files = "/proc/self/*info /proc/self/environ /proc/self/maps /proc/self/cgroup"
            let text = try launcher.exec(.shell("ls -l /proc/self/fd; cat \(files) | tr '\\0' '\\n'")).text
            #expect(text.contains("overlay") && !text.contains(directory))
            let numbers = try launcher.exec(.test("/bin/ls", "/proc/self/fd")).text
            #expect(numbers == "0\n1\n2\n3\n")
            try #expect(launcher.exec(.shell("ps -o ppid= $$ | tr -d ' '")).text == "0\n")
            let first = try launcher.exec(.shell("cat /proc/1/environ /proc/1/maps; ls /proc/1/fd; kill -9 1"))
            #expect(first.text == "" && first.errorText.contains("denied"))
        }
    }

    /// Big plans, so that a process is under way for long, and the same user's eyes on it all the time.
    @Test func nothingIsToBeHadOfOneThatStarts() throws {
        let program = try TestProgram("watch-joins")
        defer { program.remove() }
        try withLauncher { launcher in
            let plan = SandboxPlan.test(TestProgram.path, mounts: [try program.mount(for: launcher)], stdin: .pipe)
            let main = try launcher.start(plan)
            try launcher.waitForOutput("test", atLeast: 3)
            let secrets = (0..<30).map { "SECRET\($0)=" + String(repeating: "s", count: 60_000) }
            for round in 0..<100 {
                let plan = ExecPlan.test("/bin/true", id: "exec-\(round)", environment: secrets, user: "0")
                try #expect(launcher.exec(plan).report.end == .exited(code: 0))
            }
            try #require(main.input).writeAll(Array("\n".utf8))
            let done = try launcher.finish("test", main)
            let lines = done.text.split(separator: "\n")
            #expect(done.report.end == .exited(code: 5))
            #expect(lines.count == 2, "\(Set(lines))")
            let seen = try #require(lines.last.flatMap { Int($0.dropFirst("seen ".count)) })
            #expect(seen > 0, "it was never fast enough to see one")
        }
    }

    @Test(arguments: ["0", "1000"]) func everyAttackIsHeld(user: String) throws {
        let bait = try Bait()
        try withLauncher { launcher in
            try ProbeLayer.add(to: launcher)
            var plan = SandboxPlan.probe(bait.surroundings)
            let arguments = plan.arguments
            (plan.id, plan.stdin) = ("test", .pipe)
            plan.arguments = ["/bin/sh", "-c", "echo up; read line"]
            let main = try launcher.start(plan)
            try launcher.waitForOutput("test", atLeast: 3)
            var exec = ExecPlan.test("", user: user)
            exec.arguments = arguments
            let done = try launcher.exec(exec)
            let findings = try Finding.all(in: done.text)
            #expect(findings.map(\.probe) == Battery.quick.map(\.name), "\(done.report) \(done.errorText)")
            let fine = ["it is root already", "the network is blocked"]
            for finding in findings {
                let isFine = finding.result == "held" || finding.result == "not_run" && fine.contains(finding.detail)
                #expect(isFine, "\(finding.probe) is \(finding.result): \(finding.detail)")
            }
            try #require(main.input).writeAll(Array("go\n".utf8))
            _ = try launcher.finish("test", main)
        }
    }
}
