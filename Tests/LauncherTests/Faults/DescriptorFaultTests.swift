import Foundation
import LinuxSystem
import SandpoolSandbox
import Testing

/// Every open of a start fails in turn: the launcher's bound on descriptors goes up by one until a start succeeds.
@Suite struct DescriptorFaultTests {
    /// What a sandbox must not lack: one that starts in spite of a failure is the same as any other.
    private static let script = """
        read line; echo "$line"; cat /work/in /etc/app/config; wc -l < /etc/resolv.conf
        cat /proc/sys/net/ipv4/ip_unprivileged_port_start; ls -d /dev/pts/ptmx /dev/shm /usr/local
        """

    @Test func everyDescriptorFailsInTurn() throws {
        try withLauncher { launcher in
            let process = try #require(launcher.process)
            _ = try launcher.importLayer("tree", try Archive.make([("in", "tree\n")]))
            _ = try launcher.importLayer("file", try Archive.make([("content", "file\n")]))
            // A slot that has nothing mounted yet, then one that has all.
            let cold = try sweep(launcher, process, "cold") { $0.withoutCaches }
            let warm = try sweep(launcher, process, "warm") { $0.withoutPools }
            #expect(cold.isSuperset(of: ["descriptors", "output", "cgroup", "pipes", "clone", "overlay"]), "\(cold)")
            #expect(warm.isSuperset(of: ["descriptors", "output", "cgroup", "pipes", "clone", "overlay"]), "\(warm)")
        }
    }

    /// One that is made, and one that is ready and only handed over.
    @Test func everyDescriptorOfADiskFailsInTurn() throws {
        try withDisks { launcher in
            let process = try #require(launcher.process)
            _ = try launcher.importLayer("tree", try Archive.make([("in", "tree\n")]))
            _ = try launcher.importLayer("file", try Archive.make([("content", "file\n")]))
            for name in ["made", "ready"] {
                let stages = try sweep(launcher, process, name, disk: 300 << 20) { $0.withoutCaches }
                #expect(stages.isSuperset(of: ["descriptors", "output", "cgroup", "clone", "disk"]), "\(stages)")
            }
        }
    }

    /// Returns the stages that failed.
    private func sweep(
        _ launcher: LauncherClient, _ process: LauncherProcess, _ name: String, disk: UInt64 = 64 << 20,
        _ part: (LauncherState) -> LauncherState
    ) throws -> Set<String> {
        let before = try process.idleState()
        let plain = try process.lowestFreeDescriptor()
        var stages: Set<String> = []
        // Far more than one start opens.
        for extra in 0..<400 {
            try process.limitDescriptors(to: plain + extra)
            let plan = Self.plan("\(name)-\(extra)", disk: disk)
            let sink = try TemporaryFile()
            try launcher.request(plan, sink: sink.descriptor)
            switch try launcher.outcome(of: plan.id) {
            case .failed(let failure):
                #expect(failure.kind == .setup, "\(failure)")
                #expect(failure.errno == EMFILE && !failure.message.contains("\n"), "\(failure)")
                stages.insert(failure.stage)
                try process.awaitState("after \(extra) and \(failure.stage)", before, part)
            case .started(let started):
                let finished = try finish(launcher, plan, started)
                try process.limitDescriptors(to: nil)
                #expect(finished.text == Self.expected)
                let next = Self.plan("\(name)-next", disk: disk)
                let ordinary = try finish(launcher, next, try launcher.start(next, sink: sink.descriptor))
                #expect(ordinary.text == Self.expected)
                #expect(ordinary.report.downloadMessage == "")
                try process.awaitState("after \(name)", before, part)
                return stages
            }
        }
        throw TestFailure("no start succeeded")
    }

    private func finish(
        _ launcher: LauncherClient, _ plan: SandboxPlan, _ started: LauncherClient.Started
    ) throws -> LauncherClient.Finished {
        var started = started
        try #require(started.input).writeAll(Array("hello\n".utf8))
        started.input = nil
        try launcher.send(.closeInput(id: plan.id))
        return try launcher.finish(plan.id, started)
    }

    private static let expected = "hello\ntree\nfile\n1\n0\n/dev/pts/ptmx\n/dev/shm\n/usr/local\n"

    private static func plan(_ id: String, disk: UInt64) -> SandboxPlan {
        .test(
            "/bin/sh", "-c", script, id: id,
            mounts: [
                SandboxPlan.TreeMount(layer: "tree", path: "/work", isFile: false),
                SandboxPlan.TreeMount(layer: "file", path: "/etc/app/config", isFile: true),
            ], disk: disk, stdin: .pipe, downloads: ["/work"])
    }

    /// The spooler has a bound of its own: a sandbox whose output it cannot take must not run on in silence.
    @Test func aSandboxWithoutASpoolerEnds() throws {
        try withLauncher { launcher in
            let process = try #require(launcher.process)
            try #expect(launcher.run(.test("/bin/true")).report.end == .exited(code: 0))
            let before = try process.idleState()
            let spooler = try #require(before.children.first.flatMap { pid_t($0) })
            let nobody = ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
            try LauncherProcess.limitDescriptors(of: spooler, to: 3, prefix: nobody)
            let plan = SandboxPlan.test("/bin/sleep", "1000", id: "unheard")
            try launcher.request(plan)
            switch try launcher.outcome(of: plan.id) {
            case .failed(let failure): #expect(failure.stage == "descriptors" && failure.kind == .setup, "\(failure)")
            case .started: try #expect(launcher.report(of: plan.id).end == .killed)
            }
            try LauncherProcess.limitDescriptors(of: spooler, to: nil, prefix: nobody)
            try #expect(launcher.run(.shell("echo heard")).text == "heard\n")
            try process.awaitState("at the end", before) { $0.withoutPools }
        }
    }

    @Test func aWorkerThatFindsNoDescriptorComesBack() throws {
        try withService { service in
            try service.connect().disconnect()
            // The spooler's socket, and the one that is listened on.
            while try LauncherState(of: service.process).descriptors["socket"] != 2 {
                try #require(!service.process.ends(within: 5))
            }
            try service.process.limitDescriptors(to: service.process.lowestFreeDescriptor())
            // It waits in the socket's queue; nobody can take it.
            let waiting = try service.socket()
            try waiting.send(LauncherRequest.hello(version: LauncherProtocol.version).encoded())
            try service.process.limitDescriptors(to: nil)
            let answer = try #require(try waiting.receive(limit: LauncherProtocol.messageLimit))
            guard case .welcome = try LauncherEvent(decoding: answer.bytes) else { throw TestFailure("no welcome") }
        }
    }
}
