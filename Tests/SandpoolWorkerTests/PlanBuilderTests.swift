import SandpoolModel
import SandpoolSandbox
import Testing

@testable import SandpoolWorker

@Suite struct PlanBuilderTests {
    private func plan(_ edit: (inout JobSpec) -> Void = { _ in }) -> SandboxPlan {
        PlanBuilder(openedCIDRs: ["10.0.0.0/8"]).plan(for: Samples.assignment(1, ["echo", "a b"], edit), root: .host)
    }

    @Test func theBareSpecGetsEveryDefault() {
        let plan = plan()
        #expect(plan.id == Samples.attempt(1).text)
        #expect(plan.arguments == ["echo", "a b"])
        #expect(plan.workingDirectory == "/")
        #expect(plan.user == "0")
        #expect(plan.hostname == Samples.job(1).short)
        #expect(
            plan.environment == [
                "HOME=/root", "PATH=\(PlanBuilder.Defaults.path)", "SANDPOOL_JOB_ID=\(Samples.job(1).text)",
            ])
        #expect(
            plan.limits
                == SandboxPlan.Limits(
                    memoryBytes: 1 << 30, cpuMillis: 1_000, pids: 1_024, diskBytes: 512 << 20, outputBytes: 1 << 30))
        #expect(plan.timers == SandboxPlan.Timers(timeoutMs: 300_000, graceMs: 10_000, idleMs: 0))
        #expect(plan.network == .blocked)
        #expect(plan.capabilities == .run)
        #expect(plan.stdin == .none)
    }

    @Test func whatIsAskedForIsInThePlan() {
        let digest = "sha256:" + String(repeating: "ab", count: 32)
        let plan = plan { spec in
            spec.resources.cpus = 0.5
            spec.resources.memoryBytes = 64 << 20
            spec.resources.diskBytes = 1 << 20
            spec.resources.pids = 7
            spec.resources.outputBytes = 9
            spec.timeoutSeconds = 1.5
            spec.graceSeconds = 0
            spec.idleTimeoutSeconds = 0.25
            spec.workingDirectory = "/src"
            spec.user = "1000"
            spec.stdin = .stream
            spec.downloads = ["/out"]
            spec.mounts = [Mount(blob: digest, path: "/src", isFile: true)]
        }
        #expect(
            plan.limits
                == SandboxPlan.Limits(
                    memoryBytes: 64 << 20, cpuMillis: 500, pids: 7, diskBytes: 1 << 20, outputBytes: 9))
        #expect(plan.timers == SandboxPlan.Timers(timeoutMs: 1_500, graceMs: 0, idleMs: 250))
        #expect(plan.workingDirectory == "/src")
        #expect(plan.user == "1000")
        #expect(plan.stdin == .pipe)
        #expect(plan.downloads == ["/out"])
        let layer = "bl-" + String(repeating: "ab", count: 20)
        #expect(plan.mounts == [SandboxPlan.TreeMount(layer: layer, path: "/src", isFile: true)])
    }

    @Test func anOpenNetworkCarriesTheWorkersOwnHoles() {
        let plan = plan { spec in
            spec.network.block = false
            spec.network.allowDomains = ["example.org"]
        }
        #expect(plan.network == .open(allowCIDRs: [], allowDomains: ["example.org"], openedCIDRs: ["10.0.0.0/8"]))
    }

    @Test func theUsersVariablesWinExceptForTheJobsOwnId() {
        let plan = plan { $0.environment = ["PATH": "/bin", "HOME": "/x", "SANDPOOL_JOB_ID": "forged", "A": "1"] }
        #expect(plan.environment == ["A=1", "HOME=/x", "PATH=/bin", "SANDPOOL_JOB_ID=\(Samples.job(1).text)"])
    }

    @Test(arguments: [Double.nan, -1, .infinity, 1e300, -.infinity])
    func numbersThatNoCoordinatorShouldSendDoNotTrap(value: Double) {
        let plan = plan { spec in
            spec.timeoutSeconds = value
            spec.resources.cpus = value
            spec.idleTimeoutSeconds = value
            spec.resources.memoryBytes = -5
        }
        #expect(plan.limits.memoryBytes == 0)
        #expect(plan.timers.idleMs > 0)
    }
}
