import SandpoolSandbox
import Testing

/// Sandboxes that try to take everything, each within ordinary limits, beside others that want little. How fast those
/// are meanwhile is measured by `make bench`; here none of them may be lost or end otherwise.
@Suite struct NeighbourTests {
    private static let forkBomb = "import os\nwhile True:\n try: os.fork()\n except OSError: pass"
    private static let neighbours = 50

    @Test func noNeighbourIsLostAndEachBombEndsAsItShould() throws {
        try withLauncher { launcher in
            let forks = try launcher.start(.test("/usr/bin/python3", "-c", Self.forkBomb, id: "forks", pids: 64))
            let spin = try launcher.start(.shell("while :; do :; done & while :; do :; done", id: "spin"))
            let flood = try launcher.start(.test("/usr/bin/yes", id: "flood", output: 1 << 20))
            let memory = try launcher.start(
                .test(
                    "/usr/bin/perl", "-e", "my @x; push @x, 'x' x (1 << 20) while 1", id: "memory", memory: 64 << 20,
                    disk: 1 << 20))
            for number in 0..<Self.neighbours {
                let end = try launcher.run(.shell("echo \(number); exit \(number % 256)", id: "job-\(number)"))
                #expect(end.report.end == .exited(code: UInt8(number % 256)) && end.report.reason == .none)
                #expect(end.text == "\(number)\n")
            }
            let eaten = try launcher.finish("memory", memory).report
            #expect(eaten.oomKills > 0 && eaten.reason == .none && eaten.end != .exited(code: 0))
            for (id, started) in [("forks", forks), ("spin", spin)] {
                try launcher.send(.cancel(id: id, graceMs: 0))
                let end = try launcher.finish(id, started).report
                #expect(end.reason == .cancelled && end.oomKills == 0)
                #expect(end.end == .killed || end.end == .signaled(signal: 9), "\(id): \(end)")
            }
            try launcher.send(.cancel(id: "flood", graceMs: 0))
            let flooded = try launcher.finish("flood", flood).report
            #expect(flooded.reason == .cancelled && flooded.outputTruncated)
        }
    }
}
