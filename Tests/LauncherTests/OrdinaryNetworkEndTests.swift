import Foundation
import LinuxSystem
import SandpoolSandbox
import SandpoolTestSupport
import Testing

/// Ends of what an ordinary user's open networks stand on, and starts that wait for it.
@Suite(.enabled(if: OrdinaryNetwork.isPossible, "it takes root, passt and a kernel with tun"))
struct OrdinaryNetworkEndTests {
    /// Its end by force, as if what it read had ended it: a new one serves the same sandbox, behind the same filter.
    @Test func aNetworkThatEndsIsMadeAgainAndItsEndIsTold() throws {
        try OrdinaryNetwork.onHost { launcher, _ in
            var plan = OrdinaryNetwork.plan(
                """
                print(reach('203.0.113.1'), flush=True)
                sys.stdin.readline()
                while reach('203.0.113.1') != 'reached': pass
                print(find('ok.example.org'), reach('192.0.2.2'), reach('10.1.2.3'))
                """)
            plan.stdin = .pipe
            let started = try launcher.start(plan)
            try launcher.waitForOutput("test", atLeast: 8)
            let process = try #require(launcher.process)
            let network = try #require(process.sandboxNetwork)
            for _ in 0..<2 {
                try OrdinaryNetwork.endPasta(of: process)
                try OrdinaryNetwork.awaitRoute(in: network, process)
            }
            try #require(started.input).writeAll(Array("go\n".utf8))
            let done = try launcher.finish("test", started)
            #expect(done.text == "reached\n203.0.113.1 ECONNREFUSED ECONNREFUSED\n", "\(done.errorText)")
            #expect(done.report.networkInterruptions == 2 && !done.report.networkLost)
            try #expect(launcher.run(OrdinaryNetwork.plan("pass")).report.networkInterruptions == 0)
        }
    }

    /// What ends it again and again leaves a sandbox without a network in the end, and nothing open.
    @Test func oneThatEndsTooOftenIsNotMadeAgain() throws {
        try OrdinaryNetwork.onHost { launcher, _ in
            var plan = OrdinaryNetwork.plan(
                "print('up', flush=True); sys.stdin.readline(); print(reach('203.0.113.1'), find('ok.example.org'))")
            plan.stdin = .pipe
            let started = try launcher.start(plan)
            try launcher.waitForOutput("test", atLeast: 3)
            let process = try #require(launcher.process)
            let network = try #require(process.sandboxNetwork)
            for round in 0...3 {
                try OrdinaryNetwork.endPasta(of: process)
                if round < 3 { try OrdinaryNetwork.awaitRoute(in: network, process) }
            }
            try #require(started.input).writeAll(Array("go\n".utf8))
            let done = try launcher.finish("test", started)
            #expect(done.text == "up\nENETUNREACH none\n", "\(done.errorText)")
            #expect(done.report.networkInterruptions >= 3)
            try #expect(launcher.run(OrdinaryNetwork.plan("print(reach('203.0.113.1'))")).text == "reached\n")
        }
    }

    /// The launcher cannot go back to the host's network: what has none is an error from then on, and told.
    @Test func withoutItsProcessOnTheHostTheLauncherGoesOnWithoutNetworks() throws {
        try OrdinaryNetwork.onHost { launcher, _ in
            var plan = OrdinaryNetwork.plan(
                "print('up', flush=True); sys.stdin.readline(); print(reach('203.0.113.1'))")
            plan.stdin = .pipe
            let started = try launcher.start(plan)
            try launcher.waitForOutput("test", atLeast: 3)
            let process = try #require(launcher.process)
            let side = try #require(process.hostSide)
            let ends = try process.networkEnds + [ChildProcess.open(side)]
            kill(side, SIGKILL)
            try OrdinaryNetwork.expectEnd(of: ends)
            try #require(started.input).writeAll(Array("go\n".utf8))
            let done = try launcher.finish("test", started)
            #expect(done.text == "up\nENETUNREACH\n", "\(done.errorText)")
            #expect(done.report.networkInterruptions >= 1 && done.report.networkLost)
            let failure = try launcher.failure(of: OrdinaryNetwork.plan("pass"))
            #expect(failure.stage == "network" && failure.kind == .setup)
            #expect(failure.message.contains("ended from outside"), "\(failure.message)")
            var blocked = OrdinaryNetwork.plan("print('blocked')")
            blocked.network = .blocked
            try #expect(launcher.run(blocked).text == "blocked\n")
        }
    }

    /// Nothing starts on the host's side: other sandboxes start, and are ended in time, meanwhile.
    @Test func aNetworkIsWaitedForByItsOwnSandboxAlone() throws {
        try OrdinaryNetwork.onHost { launcher, _ in
            let process = try #require(launcher.process)
            let first = try launcher.start(OrdinaryNetwork.plan("print('up', flush=True); sys.stdin.readline()"))
            try launcher.waitForOutput("test", atLeast: 3)
            let side = try #require(process.hostSide)
            _ = try launcher.finish("test", first)
            while !process.networkProcesses.isEmpty { try #require(!process.ends(within: 5)) }
            kill(side, SIGSTOP)
            for index in 0..<6 {
                var open = OrdinaryNetwork.plan("pass")
                open.id = "sb-\(index)"
                try launcher.request(open)
            }
            var blocked = OrdinaryNetwork.plan("time.sleep(1000)")
            blocked.network = .blocked
            blocked.timers.timeoutMs = 100
            blocked.timers.graceMs = 0
            let report = try launcher.run(blocked).report
            #expect(report.reason == .timeout)
            for index in 0..<6 {
                try launcher.send(.cancel(id: "sb-\(index)", graceMs: 0))
                guard case .failed(let failure) = try launcher.outcome(of: "sb-\(index)") else {
                    throw TestFailure("it started")
                }
                // Not that pasta was too slow: they still waited.
                #expect(failure.message.contains("cancelled"), "\(failure.message)")
            }
            kill(side, SIGCONT)
            // What it was told meanwhile it does and undoes, and then it goes on.
            try #expect(launcher.run(OrdinaryNetwork.plan("print(reach('203.0.113.1'))")).text == "reached\n")
            while !process.networkProcesses.isEmpty { try #require(!process.ends(within: 5)) }
        }
    }

    @Test func aPastaThatEndsAtOnceSaysSoAtOnce() throws {
        try OrdinaryNetwork.onHost(pasta: "echo no way out >&2; exit 1") { launcher, _ in
            let failure = try launcher.failure(of: OrdinaryNetwork.plan("pass"))
            #expect(failure.stage == "network" && failure.kind == .setup)
            #expect(failure.message.contains("no way out"), "\(failure.message)")
        }
    }

    @Test func pastaEndsWithItsSandbox() throws {
        try OrdinaryNetwork.onHost { launcher, _ in
            let process = try #require(launcher.process)
            for _ in 0..<3 {
                let started = try launcher.start(
                    OrdinaryNetwork.plan("print(reach('203.0.113.1'), flush=True); time.sleep(1000)"))
                try launcher.waitForOutput("test", atLeast: 8)
                let pasta = try process.networkEnds
                #expect(pasta.count == 1)
                try launcher.send(.cancel(id: "test", graceMs: 0))
                try #expect(launcher.finish("test", started).text == "reached\n")
                try OrdinaryNetwork.expectEnd(of: pasta)
            }
        }
    }

    @Test func pastaEndsWithItsLauncher() throws {
        try withHost(addresses: OrdinaryNetwork.addresses, hasNames: true) { host in
            let directory = try LauncherProcess.temporaryDirectory()
            defer { LauncherProcess.removeData(directory) }
            #expect(chown(directory, OrdinaryUser.id, OrdinaryUser.id) == 0)
            let (own, theirs) = try SeqPacketSocket.pair()
            let process = try LauncherProcess(
                dataDirectory: directory, arguments: ["--connected-fd", "3"], connection: theirs.descriptor,
                prefix: host + OrdinaryUser.withNetwork(nameserver: "203.0.113.53") + OrdinaryUser.become)
            let launcher = try LauncherClient(own, process)
            _ = try launcher.start(OrdinaryNetwork.plan("print('up', flush=True); time.sleep(1000)"))
            try launcher.waitForOutput("test", atLeast: 3)
            let pasta = try process.networkEnds
            #expect(pasta.count == 1)
            kill(process.pid, SIGKILL)
            process.wait()
            try OrdinaryNetwork.expectEnd(of: pasta)
        }
    }
}
