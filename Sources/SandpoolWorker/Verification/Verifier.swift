import Glibc
import LinuxSystem
import SandpoolAPI
import SandpoolModel
import SandpoolProbes
import SandpoolSandbox

/// Attacks the sandboxes that this worker would give to jobs.
struct Verifier: Sendable {
    let core: WorkerCore
    let layers: LayerStore
    let use: LayerUse
    /// What jobs without an image get.
    let root: SandboxPlan.Root
    let coordinator: String
    /// Whether this host limits nothing: then nothing may be exhausted on it.
    let leavesOutLimits: Bool
    let identity: VerificationIdentity

    func verify(_ extent: VerificationExtent) async -> Verification {
        var result = identity.verification(at: SystemClock.now())
        do {
            let archive = try ProbeArchive(program: identity.probeProgram())
            let layer = archive.layer
            use.add([layer])
            defer { use.remove([layer]) }
            try await layers.ensure(layer) { try archive.file() }
            let bait = try HostBait()
            let around = bait.surroundings(coordinator: coordinator)
            result.runs = await runs(extent, layer, around)
            withExtendedLifetime(bait) {}
        } catch {
            result.failure = "\(error)"
        }
        return result
    }

    private static let users = [0, 1_000]
    /// Stages that may refuse a plan for its user or its network, and a plan with another one goes through.
    private static let choices = ["user", "network"]

    private func runs(_ extent: VerificationExtent, _ layer: String, _ around: Surroundings) async -> [Verification.Run]
    {
        var runs = await together(isNetworkOpen: false, layer, around)
        if extent != .quick { runs += await together(isNetworkOpen: true, layer, around) }
        guard extent == .exhaustive, !leavesOutLimits else { return runs }
        // One after the other: they are not to exhaust the host together.
        for user in runs.filter({ $0.network == "blocked" }).map(\.user) {
            var all = Verification.Run(user: user, network: "blocked", findings: [])
            for probe in Battery.all where !probe.isQuick {
                let plan = ProbePlan(user: user, isNetworkOpen: false, only: [probe.name])
                guard let one = await run(plan, layer, around) else { continue }
                all.findings += one.findings
                all.failure = all.failure ?? one.failure
            }
            runs.append(all)
        }
        return runs
    }

    /// As each user, side by side.
    private func together(
        isNetworkOpen: Bool, _ layer: String, _ around: Surroundings
    ) async -> [Verification.Run] {
        await withTaskGroup(of: Verification.Run?.self) { group in
            for user in Self.users {
                let plan = ProbePlan(user: user, isNetworkOpen: isNetworkOpen, leavesOutLimits: leavesOutLimits)
                group.addTask { await run(plan, layer, around) }
            }
            var runs: [Verification.Run] = []
            for await case let run? in group { runs.append(run) }
            return runs.sorted { $0.user < $1.user }
        }
    }

    /// Nil where this host refuses to make such a sandbox, for jobs as well: nothing gets out of what is not there.
    private func run(_ plan: ProbePlan, _ layer: String, _ around: Surroundings) async -> Verification.Run? {
        var result = Verification.Run(user: plan.user, network: plan.network, findings: [])
        do {
            let id = "verify-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
            let end = try await core.runOwn(plan.plan(id: id, layer: layer, root: root, bait: around))
            result.findings = try ProbeReport.findings(of: end, names: plan.only.isEmpty ? nil : plan.only)
        } catch let error as OwnSandbox.NotStarted {
            if error.failure.kind == .spec, Self.choices.contains(error.failure.stage) { return nil }
            result.failure = "uid \(plan.user), network \(plan.network): \(error.failure.message)"
        } catch {
            result.failure = "uid \(plan.user), network \(plan.network): \(error)"
        }
        return result
    }
}

/// What the probe program said, held against what it was asked.
enum ProbeReport {
    /// - Parameter names: of the probes that were asked for; `nil` for the quick ones.
    /// - Throws: `WorkerError` when the program did not get to its end: a sandbox that breaks off proves nothing.
    static func findings(of end: OwnSandbox.End, names: [String]?) throws -> [ProbeFinding] {
        let asked = names.map { $0.compactMap(Battery.probe(named:)) } ?? Battery.quick
        var findings = try end.output.split(separator: UInt8(ascii: "\n")).map {
            try WireJSON.decode(ProbeFinding.self, from: $0)
        }
        // An attack on the memory limit may end the whole sandbox, which is what the limit is for.
        if findings.isEmpty, asked.count == 1, end.report.oomKills > 0, let probe = asked.first {
            findings = [
                ProbeFinding(
                    probe: probe.name, topic: probe.topic.rawValue, result: .held,
                    detail: "the sandbox ran out of memory")
            ]
        }
        guard findings.map(\.probe) == asked.map(\.name) else {
            throw WorkerError(
                "\(findings.count) of \(asked.count) probes answered; the probe program ended with \(end.report.end)")
        }
        return findings
    }
}
