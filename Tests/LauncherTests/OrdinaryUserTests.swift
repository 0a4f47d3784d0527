import Foundation
import LinuxSystem
import SandpoolSandbox
import SandpoolTestSupport
import Testing

/// The launcher as a user without any privilege starts it.
@Suite(.enabled(if: geteuid() == 0, "only root can become somebody else")) struct OrdinaryUserTests {
    private static let user = OrdinaryUser.id

    private func withOrdinaryLauncher(_ body: (LauncherClient) throws -> Void) throws {
        try withLauncher(prefix: OrdinaryUser.withoutNetwork + OrdinaryUser.become, owner: Self.user, body)
    }

    /// A script without limits that this launcher could not keep.
    private func shell(_ script: String, user: String = "0", root: SandboxPlan.Root = .host) -> SandboxPlan {
        var plan = SandboxPlan.test("/bin/sh", "-c", script, user: user, root: root)
        plan.leavesOutLimits = true
        return plan
    }

    @Test func aCommandHasNoPrivilegesAndOneID() throws {
        try withOrdinaryLauncher { launcher in
            let script = "grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status | cut -f2; cat /proc/self/uid_map"
            let lines = try launcher.run(shell(script)).text.split(separator: "\n").map(String.init)
            let none = String(repeating: "0", count: 16)
            #expect(lines.prefix(7) == [none, none, none, none, none, "1", "2"])
            #expect(lines.last?.split(separator: " ") == ["0", "0", "1"])
        }
    }

    @Test func theHostDoesNotShow() throws {
        try withOrdinaryLauncher { launcher in
            let script = """
                tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '; cd /proc; echo [0-9]*; ls /root /home
                test -e /proc/1/root/boot || echo none; cat /proc/1/environ 2>&1 | wc -c; touch /usr/x 2>&1
                echo x > /dev/null && echo written; stat -c %F /dev/null /dev/tty
                """
            let lines = try launcher.run(shell(script)).text.split(separator: "\n").map(String.init)
            #expect(lines.first == "lo")
            // Pid 1, the shell, and no other.
            #expect(lines.dropFirst().first?.split(separator: " ").count == 2)
            #expect(lines.contains("none"))
            #expect(lines.contains { $0.contains("Read-only file system") })
            #expect(lines.suffix(3) == ["written", "character special file", "character special file"])
        }
    }

    @Test func theSpoolerHasNoPrivilegesAndAFilter() throws {
        try withOrdinaryLauncher { launcher in
            try #expect(launcher.run(shell("echo x")).text == "x\n")
            let process = try #require(launcher.process)
            let spooler = try #require(LauncherState(of: process).children.first)
            let status = try String(contentsOfFile: "/proc/\(spooler)/status", encoding: .utf8)
            for line in ["CapPrm:\t0000000000000000", "CapEff:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"] {
                #expect(status.contains("\n\(line)\n"), "\(line)")
            }
        }
    }

    @Test func whatCannotBeEnforcedIsRefused() throws {
        try withOrdinaryLauncher { launcher in
            var limited = shell("true")
            limited.leavesOutLimits = false
            var open = shell("true")
            open.network = .open(allowCIDRs: [], allowDomains: [], openedCIDRs: [])
            var big = shell("true")
            big.limits.diskBytes = big.limits.memoryBytes
            for (plan, stage) in [
                (limited, "cgroup"), (open, "network"), (big, "disk"), (shell("true", user: "1000"), "user"),
                (shell("true", user: "www-data"), "user"),
            ] {
                let failure = try launcher.failure(of: plan)
                #expect(failure.stage == stage)
                #expect(failure.kind == .spec)
                #expect(
                    failure.message.contains("without root") || failure.message.contains("cannot be limited: "),
                    "\(failure.message)")
            }
            // What was made before is given back.
            let finished = try launcher.run(shell("exit 7"))
            #expect(finished.report.end == .exited(code: 7))
            #expect(finished.report.leftOutLimits)
        }
    }

    @Test func layersAreUnpackedShownAndRemoved() throws {
        try withOrdinaryLauncher { launcher in
            let archive = try Archive.make([("d/file", "content\n")])
            #expect(fchown(archive.raw, Self.user, Self.user) == 0)
            try launcher.importLayer("one", archive)
            var plan = shell("cat /m/d/file; rm -r /m/d; mkdir /m/d; ls -A /m/d; echo more > /m/d/new; cat /m/d/new")
            plan.mounts = [.init(layer: "one", path: "/m", isFile: false)]
            let finished = try launcher.run(plan)
            #expect(finished.text == "content\nmore\n", "\(finished.errorText)")
            // What doctor says of such a removal.
            #expect(MemoryFileAttributes.areKept == finished.errorText.isEmpty)
            #expect(finished.report.changedMounts == 1)
            try launcher.send(.removeLayer(layer: "one"))
            try launcher.send(.listLayers)
            try #expect(launcher.layers() == [])
        }
    }

    /// Without cgroups a further command's end is that of its process group; what left that ends with the sandbox.
    @Test func aFurtherCommandRunsAndEnds() throws {
        try withOrdinaryLauncher { launcher in
            let script = "for n in user mnt pid net ipc uts; do readlink /proc/self/ns/$n; done; "
            let main = try launcher.start(shell(script + "echo up; read line; exit 5").withInput())
            try launcher.waitForOutput("test", atLeast: 3)
            let namespaces = try launcher.exec(.shell(script))
            #expect(namespaces.report.end == .exited(code: 0) && namespaces.report.leftOutLimits)
            let status = "grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status | cut -f2 | tr '\\n' ' '; id -u"
            let none = String(repeating: "0", count: 16) + " "
            try #expect(launcher.exec(.shell(status)).text == String(repeating: none, count: 5) + "1 2 0\n")
            try #expect(launcher.exec(.shell("kill -9 $$")).report.end == .signaled(signal: 9))
            try #expect(launcher.execFailure(of: .test("/no/such/program")).kind == .commandNotFound)
            try #expect(launcher.execFailure(of: .test("/bin/true", user: "1000")).stage == "user")
            let stubborn = ExecPlan.test(
                "/bin/sh", "-c", "trap '' TERM; sleep 1000 & echo up; wait; sleep 1000", timeoutMs: 200, graceMs: 50)
            let report = try launcher.exec(stubborn).report
            #expect(report.reason == .timeout && report.end == .signaled(signal: 9))
            try #expect(launcher.exec(.shell("sleep 1000 & exit 3")).report.end == .exited(code: 3))
            let leaving = "setsid sh -c 'echo >/tmp/left; exec sleep 1000' & until [ -e /tmp/left ]; do :; done; exit 4"
            try #expect(launcher.exec(.shell(leaving)).report.end == .exited(code: 4))
            // Pid 1, the main command, who looks, and the one that left its group; those that were killed may not be
            // reaped yet.
            let count = """
                import os, time
                end = time.monotonic() + 20
                while (count := sum(p.isdigit() for p in os.listdir('/proc'))) > 4 and time.monotonic() < end: pass
                print(count)
                """
            try #expect(launcher.exec(.test("/usr/bin/python3", "-c", count)).text == "4\n")
            try #require(main.input).writeAll(Array("go\n".utf8))
            let done = try launcher.finish("test", main)
            #expect(done.report.end == .exited(code: 5))
            #expect(done.text == namespaces.text + "up\n")
        }
    }

    @Test func timeLimitsHold() throws {
        try withOrdinaryLauncher { launcher in
            var plan = shell("trap '' TERM; sleep 1000 & sleep 1000")
            plan.timers.timeoutMs = 100
            plan.timers.graceMs = 50
            let report = try launcher.run(plan).report
            #expect(report.reason == .timeout)
            #expect(report.end == .killed)
        }
    }
}
