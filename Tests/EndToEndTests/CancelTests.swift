import Glibc
import Sandpool
import SandpoolModel
import SandpoolTestSupport
import Testing

/// A cancel may come at any moment of a start.
@Suite(.enabled(if: geteuid() == 0, "sandboxes need root"), .serialized) struct CancelTests {
    @Test(.timeLimit(.minutes(1))) func aCancelAtAnyMomentOfAStartEndsCancelled() async throws {
        try await LocalPool.with { local in
            for round in 0..<100 {
                let job = try await local.pool.submit(idle)
                // From at once to well after the command runs, so that every stage is met.
                try await scatter(.microseconds(round * 250))
                _ = try await local.pool.cancel(job.id.text)
                let ended = try await local.pool.wait(for: job.id.text)
                #expect(ended.state == .cancelled && ended.cause == .cancelled, "round \(round): \(ended)")
                #expect(ended.returnCode == 137)
            }
        }
    }

    @Test(.timeLimit(.minutes(1))) func manyCancelledAtOnceAllEndSo() async throws {
        try await LocalPool.with { local in
            let jobs = try await local.pool.submit([JobSpec](repeating: idle, count: 40))
            try await withThrowingTaskGroup(of: Job.self) { group in
                for job in jobs {
                    group.addTask {
                        _ = try await local.pool.cancel(job.id.text)
                        return try await local.pool.wait(for: job.id.text)
                    }
                }
                for try await ended in group { #expect(ended.state == .cancelled, "\(ended)") }
            }
        }
    }

    private var idle: JobSpec {
        var spec = JobSpec(command: ["sleep", "600"])
        spec.network.block = true
        spec.graceSeconds = 1
        spec.resources.cpus = 0.25
        spec.resources.memoryBytes = 64 << 20
        spec.resources.diskBytes = 16 << 20
        return spec
    }
}
