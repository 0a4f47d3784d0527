import Foundation
import Glibc
import LinuxSystem
import SandpoolSandbox
import Testing

/// Starts that fail at one stage each on the real kernel: the stage is named in one line, nothing of them is left,
/// and the next ordinary sandbox runs.
@Suite struct StartFaultTests {
    @Test func whatTheImageLacksIsTheSpecsFault() throws {
        try withLauncher { launcher in
            _ = try launcher.importLayer("tree", try Archive.make([("in", "x")]))
            let large = try Archive.make([("content", String(repeating: "x", count: 2 << 20))])
            _ = try launcher.importLayer("large", large)
            func mounted(_ layer: String, at path: String, isFile: Bool = false) -> SandboxPlan {
                .test(
                    "/bin/true", mounts: [SandboxPlan.TreeMount(layer: layer, path: path, isFile: isFile)],
                    disk: 1 << 20)
            }
            let name = String(repeating: "no\n", count: 60_000)
            let cases: [(plan: SandboxPlan, stage: String, kind: SandboxFailure.Kind)] = [
                (.test("/bin/true", user: "nobody-here"), "user", .spec),
                (.test("/bin/true", workingDirectory: "/etc/passwd"), "workdir", .spec),
                (mounted("tree", at: "/etc/passwd/x"), "mount /etc/passwd/x", .spec),
                // Links are followed inside the root alone, and magic ones not at all.
                (mounted("tree", at: "/proc/self/root/x"), "mount /proc/self/root/x", .spec),
                (mounted("large", at: "/content", isFile: true), "mount /content", .spec),
                (.test("/etc/passwd"), "exec", .commandNotExecutable),
                (.test("/no/such/program"), "exec", .commandNotFound),
                (.test(name), "exec", .commandNotFound),
                (.test("/bin/true", environment: ["A=" + String(repeating: "x", count: 1 << 20)]), "exec", .spec),
                (.test("/bin/true", root: .layers(["gone"])), "layer", .setup),
            ]
            try check(launcher) { fails in
                for entry in cases {
                    let failure = try fails(entry.plan)
                    #expect(failure.stage == entry.stage && failure.kind == entry.kind, "\(failure)")
                }
            }
        }
    }

    @Test func aLongMountPathIsNamedInShort() throws {
        try withLauncher { launcher in
            _ = try launcher.importLayer("tree", try Archive.make([("in", "x")]))
            let path = "/etc/passwd" + String(repeating: "/deep", count: 700)
            let mount = SandboxPlan.TreeMount(layer: "tree", path: path, isFile: false)
            let failure = try launcher.failure(of: .test("/bin/true", mounts: [mount]))
            #expect(failure.kind == .spec && failure.stage.hasPrefix("mount /etc/passwd/deep"))
        }
    }

    @Test func aCgroupThatCannotBeMadeLeavesNoPartOfIt() throws {
        try withLauncher { launcher in
            let unified = try #require(launcher.process?.cgroupDirectories().last)
            try check(launcher) { fails in
                try #require(FileManager.default.fileExists(atPath: unified + "/cgroup.max.descendants"))
                try write("0", to: unified + "/cgroup.max.descendants")
                let failure = try fails(.test("/bin/true"))
                #expect(failure.stage == "cgroup" && failure.kind == .setup, "\(failure)")
                try write("max", to: unified + "/cgroup.max.descendants")
            }
        }
    }

    @Test func cgroupsThatWereRemovedAreMadeAgain() throws {
        try withLauncher { launcher in
            let process = try #require(launcher.process)
            for path in process.cgroupDirectories() {
                // An idle launcher's are empty, so that anybody may remove them.
                try #require(rmdir(path) == 0)
                try #expect(launcher.run(.test("/bin/true")).report.end == .exited(code: 0))
                #expect(FileManager.default.fileExists(atPath: path))
            }
        }
    }

    /// With the pids controller on version 1, where a launcher's own cgroup bounds its sandboxes' too.
    @Test(.enabled(if: PidsCgroup.parent != nil, "pids is on version 2: a clone is charged elsewhere"))
    func withoutProcessesThereIsNoCloneAndNoFork() throws {
        let cgroup = try PidsCgroup()
        defer { cgroup.remove() }
        try withLauncher(prefix: ["/bin/sh", "-c", "echo 0 > \(cgroup.path)/tasks; exec \"$@\"", "sh"]) { launcher in
            try check(launcher) { fails in
                // Launcher and spooler; with one more pid 1, but not the command.
                for (limit, stage) in [(2, "clone"), (3, "fork")] {
                    try write("\(limit)", to: cgroup.path + "/pids.max")
                    let failure = try fails(.test("/bin/true"))
                    #expect(failure.stage == stage && failure.kind == .setup && failure.errno == EAGAIN, "\(failure)")
                }
                try write("max", to: cgroup.path + "/pids.max")
            }
        }
    }

    @Test func aFullRunDirectoryFailsWhatNeedsAPlaceInIt() throws {
        try withLauncher { launcher in
            let process = try #require(launcher.process)
            _ = try launcher.importLayer("tree", try Archive.make([("in", "x")]))
            try check(launcher) { fails in
                try limitInodes(of: process, to: nil)
                let mount = SandboxPlan.TreeMount(layer: "tree", path: "/work", isFile: false)
                let sink = try TemporaryFile()
                for (plan, stage) in [
                    (SandboxPlan.test("/bin/true", mounts: [mount]), "layer"),
                    (SandboxPlan.test("/bin/true", downloads: ["/etc"]), "writable layer"),
                ] {
                    let failure = try fails(plan, sink.descriptor)
                    #expect(failure.stage == stage && failure.kind == .setup && failure.errno == ENOSPC, "\(failure)")
                }
                // A second sandbox at a time needs a second slot.
                let first = try launcher.start(.test("/bin/cat", id: "first", stdin: .pipe))
                #expect(first.input != nil)
                let failure = try launcher.failure(of: .test("/bin/true", id: "second"))
                #expect(failure.stage == "slot" && failure.errno == ENOSPC, "\(failure)")
                try launcher.send(.cancel(id: "first", graceMs: 0))
                _ = try launcher.finish("first", first)
                try limitInodes(of: process, to: 100_000)
            }
        }
    }

    @Test func aSpoolThatCannotBeMadeIsNamed() throws {
        let prefix = SpoolDisk.prefix("mount -t tmpfs -o nr_inodes=1 none \"$3/spool\"")
        try withLauncher(prefix: prefix) { launcher in
            let process = try #require(launcher.process)
            let failure = try launcher.failure(of: .test("/bin/true"))
            #expect(failure.stage == "output" && failure.errno == ENOSPC && failure.kind == .setup, "\(failure)")
            try Command.run(
                SpoolDisk.enter(process) + ["/usr/bin/mount", "-o", "remount,nr_inodes=100", SpoolDisk.path(process)])
            try #expect(launcher.run(.shell("echo ok")).text == "ok\n")
        }
    }

    // MARK: How each is checked

    /// Has starts fail and looks that the launcher holds no more after each.
    private struct Failing {
        let launcher: LauncherClient
        let process: LauncherProcess
        let state: LauncherState

        func callAsFunction(_ plan: SandboxPlan, _ sink: FileDescriptor? = nil) throws -> SandboxFailure {
            try launcher.request(plan, sink: sink)
            guard case .failed(let failure) = try launcher.outcome(of: plan.id) else { throw TestFailure("it started") }
            #expect(!failure.message.isEmpty && failure.message.utf8.count < 1_100)
            #expect(!failure.message.contains { $0.isNewline }, "\(failure.message)")
            try process.awaitState("after \(failure.stage)", state) { $0.withoutCaches }
            return failure
        }
    }

    /// Runs an ordinary sandbox before and after `body`.
    private func check(_ launcher: LauncherClient, _ body: (Failing) throws -> Void) throws {
        let process = try #require(launcher.process)
        try #expect(launcher.run(.shell("echo before")).text == "before\n")
        let state = try process.idleState()
        try body(Failing(launcher: launcher, process: process, state: state))
        try #expect(launcher.run(.shell("echo after")).text == "after\n")
        try process.awaitState("at the end", state) { $0.withoutCaches }
    }

    private func write(_ text: String, to path: String) throws {
        try FileDescriptor.open(path, O_WRONLY).writeAll(Array(text.utf8))
    }

    /// Of the tmpfs that is the launcher's run directory; nil leaves it no more than it has.
    private func limitInodes(of process: LauncherProcess, to count: UInt64?) throws {
        let path = process.dataDirectory + "/run"
        var state = statvfs()
        try #require(statvfs("/proc/\(process.pid)/root\(path)", &state) == 0)
        let used = UInt64(state.f_files - state.f_ffree)
        try Command.run(
            SpoolDisk.enter(process) + ["/usr/bin/mount", "-o", "remount,nr_inodes=\(count ?? used)", path])
    }
}

/// A cgroup of version 1 for a launcher, below the test's own.
private struct PidsCgroup {
    let path: String

    static let parent: String? = {
        let line = (try? String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8))?.split(separator: "\n")
            .first { $0.contains(":pids:") }
        guard let own = line?.split(separator: ":", maxSplits: 2).last else { return nil }
        return ["/sys/fs/cgroup/pids\(own)", "/sys/fs/cgroup/pids"].first {
            FileManager.default.fileExists(atPath: $0 + "/tasks")
        }
    }()

    init() throws {
        path = try #require(Self.parent) + "/sandpool-test-\(UUID().uuidString)"
        try #require(mkdir(path, 0o755) == 0)
    }

    func remove() { rmdir(path) }
}
