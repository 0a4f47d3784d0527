import SandpoolModel
import Testing

@Suite struct HostGapsTests {
    private static let pool: PoolConfiguration = {
        var pool = PoolConfiguration()
        pool.gaps.unlimitedBecause = "no cgroups"
        pool.gaps.blockedBecause = "no network"
        return pool
    }()

    private static func spec(_ change: (inout JobSpec) -> Void) -> JobSpec {
        var spec = JobSpec(command: ["true"])
        change(&spec)
        return spec
    }

    @Test(
        arguments: [
            ("cpus", spec { $0.resources.cpus = 1 }), ("memoryBytes", spec { $0.resources.memoryBytes = 1 << 30 }),
            ("pids", spec { $0.resources.pids = 1_024 }),
            ("allowCIDRs", spec { $0.network.allowCIDRs = ["192.0.2.0/24"] }),
            ("allowDomains", spec { $0.network.allowDomains = ["example.org"] }),
            ("blockNetwork", spec { $0.network.block = false }),
        ] as [(String, JobSpec)])
    func whatIsAskedForIsRefused(_ key: String, _ spec: JobSpec) throws {
        let problem = try #require(#expect(throws: SpecProblem.self) { try Self.pool.accept(spec) })
        #expect(problem.code == .unenforceable)
        #expect(problem.key == key)
        #expect(problem.message.contains(["cpus", "memoryBytes", "pids"].contains(key) ? "no cgroups" : "no network"))
        #expect(throws: Never.self) { try PoolConfiguration().accept(spec) }
    }

    @Test func defaultsAndWhatTheHostKeepsStay() throws {
        let asked = Self.spec {
            $0.resources.diskBytes = 1 << 20
            $0.timeoutSeconds = 5
        }
        let accepted = try Self.pool.accept(asked)
        #expect(accepted.network.isBlocked)
        #expect(accepted.resources.memoryBytes == 1 << 30)
        #expect(accepted.resources.diskBytes == 1 << 20)
        #expect(accepted.timeoutSeconds == 5)
        try Self.pool.check()
    }
}
