import Glibc
import LinuxSystem
import SandpoolSandbox
import Testing

/// Output of a further command waits for who reads it, no more of it than a backlog: its command waits then. Who reads
/// gets all of it, however long it is.
@Suite struct ExecBacklogTests {
    private static let backlog: UInt64 = 128 << 10
    private static let ring = SpoolRing(backlogBytes: backlog)

    /// Four million bytes through a file of one and a sixth.
    @Test func aReaderGetsMoreThanTheSpoolHolds() throws {
        let script = """
            import os
            for block in range(40):
                os.write(1, b''.join(b'%09d\\n' % (block * 10_000 + line) for line in range(10_000)))
            """
        try withWaitingSandbox { launcher in
            let plan = ExecPlan.test("/usr/bin/python3", "-c", script, backlog: Self.backlog)
            let started = try launcher.startExec(plan)
            var expected: [UInt8] = []
            for line in 0..<400_000 { expected += "\(line + 1_000_000_000)\n".utf8.dropFirst() }
            var position: UInt64 = 0
            while position < expected.count {
                let piece = try launcher.readNext(of: plan, started, from: position)
                let end = position + UInt64(piece.count)
                #expect(end <= expected.count && piece[...] == expected[Int(position)..<Int(end)], "at \(position)")
                position = end
                try launcher.tellRead(plan.id, stdout: position)
            }
            let report = try launcher.report(of: plan.id)
            #expect(report.end == .exited(code: 0) && report.stdoutBytes == position && !report.outputTruncated)
            var state = stat()
            #expect(fstat(started.output.raw, &state) == 0 && state.st_size <= Self.ring.fileBytes)
        }
    }

    /// The mark lies over the end of the file and its begin.
    @Test func aStreamThatIsCutHasItsMark() throws {
        let limit = Self.ring.fileBytes - 10
        try withWaitingSandbox { launcher in
            let plan = ExecPlan.test(
                "/usr/bin/head", "-c", "9000000", "/dev/zero", output: limit, backlog: Self.backlog)
            let started = try launcher.startExec(plan)
            let mark = "\n[sandpool: output truncated at \(limit) bytes]\n"
            var output: [UInt8] = []
            while output.count < Int(limit) + mark.utf8.count {
                output += try launcher.readNext(of: plan, started, from: UInt64(output.count))
                try launcher.tellRead(plan.id, stdout: UInt64(output.count))
            }
            #expect(output.prefix(Int(limit)).allSatisfy { $0 == 0 })
            #expect(output.dropFirst(Int(limit)).elementsEqual(mark.utf8))
            let report = try launcher.report(of: plan.id)
            #expect(report.end == .exited(code: 0) && report.outputTruncated && report.stdoutBytes == output.count)
        }
    }

    @Test(arguments: ["cancel", "kill", "timeout"]) func whatStandsStillEndsAsAnyOther(way: String) throws {
        try withWaitingSandbox { launcher in
            let script = "trap '' TERM; yes & yes >&2 & while :; do wait; done"
            let plan = ExecPlan.test(
                "/bin/sh", "-c", script, timeoutMs: way == "timeout" ? 500 : 0, graceMs: 100, backlog: Self.backlog)
            let started = try launcher.beginExec(plan, saying: Self.backlog)
            // It is the command's own output alone that waits.
            try #expect(launcher.exec(.shell("exit 3", id: "beside")).report.end == .exited(code: 3))
            if way != "timeout" { try launcher.send(.cancel(id: plan.id, graceMs: way == "kill" ? 0 : 100)) }
            let done = try launcher.finish(plan.id, started)
            #expect(done.report.reason == (way == "timeout" ? .timeout : .cancelled))
            #expect(done.report.end == .signaled(signal: 9) && !done.report.outputTruncated)
            #expect(done.report.stdoutBytes >= Self.backlog)
            for output in [done.output, done.error] {
                #expect(output.count <= Self.ring.fileBytes)
                #expect(output.allSatisfy { [UInt8(ascii: "y"), UInt8(ascii: "\n")].contains($0) })
            }
        }
    }

    @Test func whatStandsStillEndsWithItsSandbox() throws {
        try withLauncher { launcher in
            let main = try launcher.start(.waiting)
            try launcher.waitForOutput("test", atLeast: 3)
            let plan = ExecPlan.test("/usr/bin/yes", backlog: Self.backlog)
            let still = try launcher.beginExec(plan, saying: Self.backlog)
            try #require(main.input).writeAll(Array("go\n".utf8))
            try #expect(launcher.finish(plan.id, still).report.end == .killed)
            try #expect(launcher.finish("test", main).report.end == .exited(code: 5))
        }
    }

    /// A stream that stands still is silence: the sandbox's idle timeout counts it as that.
    @Test func whatStandsStillIsIdle() throws {
        try withLauncher { launcher in
            var waiting = SandboxPlan.waiting
            waiting.timers.idleMs = 3_000
            let main = try launcher.start(waiting)
            let plan = ExecPlan.test("/usr/bin/yes", backlog: Self.backlog)
            let still = try launcher.beginExec(plan, saying: Self.backlog)
            try #expect(launcher.finish(plan.id, still).report.end == .killed)
            try #expect(launcher.finish("test", main).report.reason == .idleTimeout)
        }
    }

    /// Word of what nobody knows, of a main command, whose output is kept, and of more than there is.
    @Test func whatIsToldWronglyHarmsNobodyElse() throws {
        try withWaitingSandbox { launcher in
            let plan = ExecPlan.test("/usr/bin/yes", backlog: Self.backlog)
            let started = try launcher.beginExec(plan, saying: Self.backlog)
            for id in ["nobody", "test", ""] { try launcher.tellRead(id, stdout: .max) }
            try launcher.tellRead(plan.id, stdout: .max)
            try launcher.waitForOutput(plan.id, atLeast: Self.backlog * 2)
            try launcher.tellRead(plan.id, stdout: 0)
            try #require(launcher.progress).send([1, 2, 3])
            // Nobody is told of progress any more; everything else goes on.
            try #expect(launcher.exec(.shell("echo here", id: "beside")).text == "here\n")
            try launcher.send(.cancel(id: plan.id, graceMs: 0))
            try #expect(launcher.report(of: plan.id).reason == .cancelled)
            withExtendedLifetime(started) {}
        }
    }
}

extension LauncherClient {
    /// What came after a position, once there is something.
    fileprivate func readNext(of plan: ExecPlan, _ started: Started, from position: UInt64) throws -> [UInt8] {
        try waitForOutput(plan.id, atLeast: position + 1)
        var output: [UInt8] = []
        while position + UInt64(output.count) < outputBytes[plan.id, default: 0] {
            let next = position + UInt64(output.count)
            let place = plan.ring.place(of: next)
            let count = Int(min(place.count, outputBytes[plan.id, default: 0] - next))
            var piece = [UInt8](repeating: 0, count: count)
            try #require(pread(started.output.raw, &piece, count, off_t(place.position)) == count)
            output += piece
        }
        return output
    }

    fileprivate func tellRead(_ id: String, stdout: UInt64) throws {
        let read = SpoolProgress(id: id, stdoutBytes: stdout, stderrBytes: 0)
        try #require(progress).send(read.encoded())
    }
}
