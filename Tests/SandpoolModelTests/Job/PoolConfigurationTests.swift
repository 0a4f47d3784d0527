import SandpoolModel
import Testing

@Suite struct PoolConfigurationTests {
    @Test func fillsWhatWasNotAskedFor() {
        let spec = JobSpec(command: ["true"]).filled(with: PoolDefaults())
        #expect(spec.image == "host")
        #expect(spec.resources.cpus == 1 && spec.resources.pids == 1_024)
        #expect(spec.resources.memoryBytes == 1 << 30 && spec.resources.diskBytes == 512 << 20)
        #expect(spec.resources.outputBytes == 1 << 30)
        #expect(spec.timeoutSeconds == 300 && spec.graceSeconds == 10)
        #expect(spec.queueTimeoutSeconds == nil && spec.idleTimeoutSeconds == nil)
        #expect(spec.filled(with: PoolDefaults()) == spec)
    }

    @Test func keepsWhatWasAskedFor() {
        var spec = JobSpec(command: ["true"])
        spec.image = "scratch"
        spec.resources.cpus = 0.5
        spec.resources.memoryBytes = 64 << 20
        spec.resources.diskBytes = 1 << 20
        spec.resources.pids = 16
        spec.resources.outputBytes = 1
        (spec.timeoutSeconds, spec.graceSeconds) = (1, 0)
        #expect(spec.filled(with: PoolDefaults()) == spec)
    }

    @Test func littleMemoryAloneIsNotRefusedForTheDisk() throws {
        var spec = JobSpec(command: ["true"])
        spec.resources.memoryBytes = 64 << 20
        #expect(try PoolConfiguration().accept(spec).resources.diskBytes == 32 << 20)
    }

    @Test func limitsArePoolWide() throws {
        var pool = PoolConfiguration()
        pool.limits.images = ["host"]
        pool.limits.allowsNetwork = false
        pool.limits.timeoutSeconds = 600
        var spec = JobSpec(command: ["true"])
        #expect(throws: SpecProblem.self) { try pool.accept(spec) }
        spec.network.block = true
        _ = try pool.accept(spec)
        spec.timeoutSeconds = 601
        #expect(#expect(throws: SpecProblem.self) { try pool.accept(spec) }?.key == "timeoutSeconds")
        spec.timeoutSeconds = 600
        spec.image = "scratch"
        #expect(#expect(throws: SpecProblem.self) { try pool.accept(spec) }?.code == .overLimit)
        try pool.check()
    }

    @Test func aPoolInWhichNothingCanRunSaysSo() {
        var pool = PoolConfiguration()
        pool.limits.timeoutSeconds = 60
        #expect(#expect(throws: SpecProblem.self) { try pool.check() }?.key == "defaults.timeoutSeconds")
        pool = PoolConfiguration()
        pool.limits.cpus = .nan
        #expect(#expect(throws: SpecProblem.self) { try pool.check() }?.key == "defaults.cpus")
    }
}
