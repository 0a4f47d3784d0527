import Glibc
import Sandpool
import SandpoolModel
import Testing

/// How commands ended, all the way from pid 1 to the client: a sample of what `LauncherTests` tries whole.
@Suite(.enabled(if: geteuid() == 0, "sandboxes need root"), .serialized) struct ExactEndTests {
    @Test func codesAndSignalsArriveAsTheyWere() async throws {
        try await LocalPool.with { local in
            let codes = [
                0, 1, 2, 3, 42, 63, 64, 65, 77, 100, 124, 125, 126, 127, 128, 129, 130, 137, 143, 200, 254, 255,
            ]
            let signals = [1, 2, 3, 6, 9, 11, 13, 15, 31, 32, 34, 64]
            let ends = codes.map { (command: "exit \($0)", code: Optional($0), signal: Int?.none, returned: $0) }
            let deaths = signals.map {
                (
                    command: "exec perl -e 'kill \($0), $$; sleep'", code: Int?.none, signal: Optional($0),
                    returned: 128 + $0
                )
            }
            let expected = ends + deaths
            var ids: [JobID] = []
            for end in expected {
                var spec = JobSpec(command: ["sh", "-c", end.command])
                spec.network.block = true
                ids.append(try await local.pool.submit(spec).id)
            }
            for (id, end) in zip(ids, expected) {
                let job = try await local.pool.wait(for: id.text)
                #expect(job.exitCode == end.code && job.signal == end.signal, "\(end.command): \(job)")
                #expect(job.returnCode == end.returned && job.cause == (end.code == nil ? .signaled : .exited))
                #expect(job.state == (end.returned == 0 ? .succeeded : .failed) && job.fault == .user)
            }
        }
    }
}
