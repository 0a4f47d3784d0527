@testable import SandpoolSandbox

/// What worker, launcher and spooler send each other.
extension FuzzTarget {
    static let launcher = [
        canonical(
            "launcher-request", sources: codec + ["SandpoolSandbox/Codec/LauncherRequest+Codec.swift"],
            seeds: LauncherSamples.requests.map { $0.encoded() },
            decode: LauncherRequest.init(decoding:), encode: { $0.encoded() }),
        canonical(
            "launcher-event",
            sources: codec + [
                "SandpoolSandbox/Codec/LauncherEvent+Codec.swift", "SandpoolSandbox/Codec/ExitReport+Codec.swift",
            ],
            seeds: LauncherSamples.events.map { $0.encoded() },
            decode: LauncherEvent.init(decoding:), encode: { $0.encoded() }),
        canonical(
            "spool-progress", sources: codec,
            seeds: [SpoolProgress(id: "sb-1", stdoutBytes: 1 << 40, stderrBytes: 0).encoded()],
            decode: SpoolProgress.init(decoding:), encode: { $0.encoded() }),
        canonical(
            "sandbox-failure", sources: codec,
            seeds: [SandboxFailure(stage: "exec", errno: 2, message: "no such file", kind: .commandNotFound).encoded()],
            decode: SandboxFailure.init(decoding:), encode: { $0.encoded() }),
        canonical(
            "sandbox-plan",
            sources: codec + [
                "SandpoolSandbox/Codec/SandboxPlan+Codec.swift", "SandpoolSandbox/Launcher/PlanValidation.swift",
            ],
            seeds: LauncherSamples.plans.map { $0.encoded() }, words: NastyText.words,
            decode: SandboxPlan.init(decoding:), encode: { $0.encoded() }, also: PlanProperties.violation),
        canonical(
            "exec-plan",
            sources: codec + [
                "SandpoolSandbox/Codec/ExecPlan+Codec.swift", "SandpoolSandbox/Launcher/PlanValidation.swift",
            ],
            seeds: LauncherSamples.execPlans.map { $0.encoded() }, words: NastyText.words,
            decode: ExecPlan.init(decoding:), encode: { $0.encoded() }, also: PlanProperties.violation),
        FuzzTarget(
            "plan-path", sources: ["SandpoolSandbox/Launcher/PlanValidation.swift"],
            seeds: ["/m/n", "/ab/\u{301}c/..d"].map { Array($0.utf8) }, words: NastyText.words
        ) { bytes in
            var plan = LauncherSamples.plans[0]
            plan.downloads = [String(decoding: bytes, as: UTF8.self)]
            guard (try? PlanValidation.check(plan)) != nil else { return .refused }
            return PlanProperties.violation(plan).map(Verdict.broken) ?? .accepted
        },
        canonical(
            "spooler-request", sources: codec + ["SandpoolSandbox/Spooler/SpoolerMessages.swift"],
            seeds: [
                SpoolerRequest.open(token: 7, id: "sb-1", limit: 1 << 30, sandbox: 7, cpuMillis: 1_000, backlog: 0)
                    .encoded(),
                SpoolerRequest.finish(token: 7).encoded(), SpoolerRequest.notify.encoded(),
                SpoolerRequest.mute(token: 7).encoded(),
            ],
            decode: SpoolerRequest.init(decoding:), encode: { $0.encoded() }),
        canonical(
            "spooler-answer", sources: codec + ["SandpoolSandbox/Spooler/SpoolerMessages.swift"],
            seeds: [
                SpoolerAnswer.finished(SpoolerCounts(token: 7)).encoded(), SpoolerAnswer.refused(token: 7).encoded(),
                SpoolerAnswer.limitReached(token: 7).encoded(),
            ],
            decode: SpoolerAnswer.init(decoding:), encode: { $0.encoded() }),
        canonical(
            "launcher-state",
            sources: codec + [
                "SandpoolSandbox/Upgrade/LauncherState+Codec.swift",
                "SandpoolSandbox/Upgrade/LauncherState+Commands.swift",
                "SandpoolSandbox/Codec/SandboxPlan+Codec.swift", "SandpoolSandbox/Codec/ExecPlan+Codec.swift",
                "SandpoolSandbox/Codec/ExitReport+Codec.swift",
            ],
            seeds: [StateSamples.full, StateSamples.empty].map(StateSamples.body),
            decode: StateSamples.decode, encode: StateSamples.body),
        FuzzTarget(
            "launcher-state-envelope", sources: codec + ["SandpoolSandbox/Upgrade/LauncherState+Envelope.swift"],
            seeds: [StateSamples.full, StateSamples.empty].map { $0.encoded() }
        ) { bytes in
            guard let state = try? LauncherState(decoding: bytes) else { return .refused }
            return state.encoded() == bytes ? .accepted : .broken("a state that is written otherwise was taken")
        },
    ]

    private static let codec = ["SandpoolSandbox/Codec/ByteReader.swift", "SandpoolSandbox/Codec/ByteWriter.swift"]
}

/// What has to hold for a plan that the launcher takes, looked at byte by byte as the kernel will.
private enum PlanProperties {
    static func violation(_ plan: SandboxPlan) -> String? {
        // The first is asked by the launcher, the second in the sandbox.
        guard (try? PlanValidation.check(plan)) != nil,
            (try? PlanValidation.checkCommand(plan.arguments, environment: plan.environment)) != nil
        else { return nil }
        for path in plan.mounts.map(\.path) + plan.downloads {
            let parts = Array(path.utf8).split(separator: UInt8(ascii: "/"))
            guard path.utf8.first == UInt8(ascii: "/"), !parts.isEmpty, !path.utf8.contains(0),
                !parts.contains(where: { $0.elementsEqual("..".utf8) || $0.elementsEqual(".".utf8) })
            else { return "a plan with the path \(path.debugDescription) was taken" }
        }
        for text in plan.arguments + plan.environment + [plan.workingDirectory, plan.user, plan.hostname]
        where text.utf8.contains(0) { return "a plan with a NUL byte in \(text.debugDescription) was taken" }
        guard plan.workingDirectory.utf8.first == UInt8(ascii: "/") else { return "a relative directory was taken" }
        return nil
    }

    static func violation(_ plan: ExecPlan) -> String? {
        guard (try? PlanValidation.check(plan)) != nil,
            (try? PlanValidation.checkCommand(plan.arguments, environment: plan.environment)) != nil
        else { return nil }
        for text in plan.arguments + plan.environment + [plan.workingDirectory, plan.user]
        where text.utf8.contains(0) { return "a plan with a NUL byte in \(text.debugDescription) was taken" }
        let isPlain = plan.id.utf8.allSatisfy { (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2d }
        guard isPlain, (1...64).contains(plan.id.utf8.count) else { return "the id \(plan.id) was taken" }
        guard plan.workingDirectory.utf8.first == UInt8(ascii: "/") else { return "a relative directory was taken" }
        return nil
    }
}
