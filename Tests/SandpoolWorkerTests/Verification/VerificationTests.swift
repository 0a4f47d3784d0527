import Glibc
import NIOCore
import SandpoolAPI
import SandpoolModel
import SandpoolProbes
import SandpoolSandbox
import Testing

@testable import SandpoolWorker

/// What a worker makes of the attacks on its own sandboxes.
@Suite(.timeLimit(.minutes(1))) struct VerificationTests {
    init() { BuiltPrograms.putIntoPath() }

    private static func lines(through: Set<String> = [], leavingOut last: Int = 0) -> [UInt8] {
        let lines = Battery.quick.dropLast(last).map { probe in
            let result = through.contains(probe.name) ? "through" : "held"
            return #"{"probe":"\#(probe.name)","topic":"\#(probe.topic.rawValue)","result":"\#(result)","detail":"d"}"#
        }
        return Array(lines.joined(separator: "\n").utf8)
    }

    private static func end(_ output: [UInt8], oomKills: UInt64 = 0) -> OwnSandbox.End {
        OwnSandbox.End(report: ExitReport(end: .killed, reason: .none, oomKills: oomKills), output: output)
    }

    @Test func aTrustedWorkerSaysSoAndTakesJobs() async throws {
        try await RunningWorker.with(verification: .atStart, findings: Self.lines()) { coordinator, launcher in
            let session = try await coordinator.session()
            let verification = try #require(try await session.welcome().verification)
            #expect(verification.isTrusted && verification.held == 2 * Battery.quick.count)
            try session.send(.assign([Samples.assignment(1)]))
            try await launcher.request { $0 == .start(id: Samples.lease(1).attempt.text) }
        }
    }

    @Test(arguments: [lines(through: ["pivot-root"]), lines(leavingOut: 1), Array("no JSON".utf8), []])
    func whatLeaksOrBreaksOffGetsNoJobs(findings: [UInt8]) async throws {
        try await RunningWorker.with(verification: .atStart, findings: findings) { coordinator, _ in
            let session = try await coordinator.session()
            let verification = try #require(try await session.welcome().verification)
            #expect(!verification.isTrusted)
            // Also when a coordinator assigns all the same.
            try session.send(.assign([Samples.assignment(1)]))
            guard case .returned(let leases) = try await session.message() else {
                Issue.record("the assignment was not given back")
                return
            }
            #expect(leases == [Samples.lease(1)])
        }
    }

    @Test func aLauncherThatWentAwayMeanwhileIsAttackedAgain() async throws {
        try await RunningWorker.with(
            verification: .atStart, findings: Self.lines(), losesFirstAttack: true
        ) { coordinator, launcher in
            var session = try await coordinator.session()
            var isTrusted = try await session.welcome().verification?.isTrusted
            #expect(isTrusted == false)
            while isTrusted == false {
                session.end()
                session = try await coordinator.session()
                isTrusted = try await session.welcome().verification?.isTrusted
            }
            try session.send(.assign([Samples.assignment(1)]))
            try await launcher.request { $0 == .start(id: Samples.lease(1).attempt.text) }
        }
    }

    @Test func oneThatGotThroughIsNamedOnce() {
        let finding = ProbeFinding(probe: "kcore", topic: "kernel", result: .through, detail: "d")
        let runs = [0, 1_000].map { Verification.Run(user: $0, network: "blocked", findings: [finding]) }
        let summary = Verification(
            at: Timestamp(milliseconds: 0), bootID: "b", kernel: "k", softwareVersion: "v", programs: "p", runs: runs
        ).summary
        #expect(summary.through == ["kcore"] && !summary.isTrusted)
        #expect(summary.text == "its sandbox does not hold: kcore got through")
    }

    @Test func anOutOfMemoryKillIsAnAnswerToOneProbeOnly() throws {
        let name = "memory-bomb"
        let held = try ProbeReport.findings(of: Self.end([], oomKills: 1), names: [name])
        #expect(held.map(\.result) == [.held])
        #expect(throws: WorkerError.self) { try ProbeReport.findings(of: Self.end([]), names: [name]) }
        #expect(throws: WorkerError.self) { try ProbeReport.findings(of: Self.end([], oomKills: 1), names: nil) }
    }

    @Test func anotherBootKernelOrProgramIsAnotherMatter() throws {
        let identity = VerificationIdentity(bootID: "boot")
        let now = identity.verification(at: Timestamp(milliseconds: 0))
        #expect(identity.isOf(now))
        for change in [
            { $0.bootID = "other" }, { $0.kernel = "other" }, { $0.softwareVersion = "other" },
            { $0.programs = "other" },
        ] as [(inout Verification) -> Void] {
            var other = now
            change(&other)
            #expect(!identity.isOf(other))
        }
    }
}

/// The programs that were built beside the tests, where a worker looks for them.
private enum BuiltPrograms {
    static func putIntoPath() {
        let directory = "/" + #filePath.split(separator: "/").dropLast(4).joined(separator: "/") + "/.build/debug"
        let path = getenv("PATH").map { String(cString: $0) } ?? ""
        if !path.hasPrefix(directory) { setenv("PATH", "\(directory):\(path)", 1) }
    }
}
