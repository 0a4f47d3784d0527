import SandpoolModel
import SandpoolSandbox
import Testing

@testable import SandpoolWorker

@Suite struct OutcomeBuilderTests {
    struct Row: Sendable {
        var end: ExitReport.End
        var reason = ExitReport.Reason.none
        var oomKills: UInt64 = 0
        var diskFull = false
        var cause: Cause
        var state: JobState
        var returnCode: Int?
        var exitCode: Int?
        var signal: Int?
    }

    static let rows: [Row] = [
        Row(end: .exited(code: 0), cause: .exited, state: .succeeded, returnCode: 0, exitCode: 0),
        Row(end: .exited(code: 255), cause: .exited, state: .failed, returnCode: 255, exitCode: 255),
        Row(end: .signaled(signal: 11), cause: .signaled, state: .failed, returnCode: 139, signal: 11),
        // Out of memory beats everything, also a main process that exits 0 and a timer that fired.
        Row(end: .exited(code: 0), oomKills: 1, cause: .oom, state: .failed, returnCode: 137, exitCode: 0),
        Row(end: .signaled(signal: 9), oomKills: 2, cause: .oom, state: .failed, returnCode: 137, signal: 9),
        Row(end: .killed, reason: .timeout, oomKills: 1, cause: .oom, state: .failed, returnCode: 137),
        Row(
            end: .exited(code: 1), oomKills: 1, diskFull: true, cause: .oom, state: .failed, returnCode: 137,
            exitCode: 1),
        // A full disk counts only for a command that failed.
        Row(end: .exited(code: 1), diskFull: true, cause: .diskLimit, state: .failed, returnCode: 1, exitCode: 1),
        Row(end: .signaled(signal: 7), diskFull: true, cause: .diskLimit, state: .failed, returnCode: 135, signal: 7),
        Row(end: .exited(code: 0), diskFull: true, cause: .exited, state: .succeeded, returnCode: 0, exitCode: 0),
        // Timers, however the command took the signal.
        Row(end: .exited(code: 0), reason: .timeout, cause: .timeout, state: .timedOut, returnCode: 124, exitCode: 0),
        Row(
            end: .signaled(signal: 15), reason: .timeout, cause: .timeout, state: .timedOut, returnCode: 124, signal: 15
        ),
        Row(end: .killed, reason: .timeout, cause: .timeout, state: .timedOut, returnCode: 124),
        Row(end: .killed, reason: .idleTimeout, cause: .idleTimeout, state: .timedOut, returnCode: 124),
        Row(end: .killed, reason: .timeout, diskFull: true, cause: .timeout, state: .timedOut, returnCode: 124),
        Row(
            end: .exited(code: 3), reason: .cancelled, cause: .cancelled, state: .cancelled, returnCode: 137,
            exitCode: 3),
        Row(end: .killed, reason: .cancelled, cause: .cancelled, state: .cancelled, returnCode: 137),
        // However the command ended that the launcher wanted to kill.
        Row(end: .killed, reason: .outputLimit, cause: .outputLimit, state: .failed, returnCode: 137),
        Row(
            end: .exited(code: 0), reason: .outputLimit, cause: .outputLimit, state: .failed, returnCode: 137,
            exitCode: 0),
        // Nobody reaped it and nobody asked for its end: no exit code is invented.
        Row(end: .killed, cause: .workerLost, state: .errored, returnCode: nil),
        Row(end: .killed, diskFull: true, cause: .workerLost, state: .errored, returnCode: nil),
    ]

    @Test(arguments: rows) func everyEndHasItsCause(row: Row) {
        let report = ExitReport(end: row.end, reason: row.reason, oomKills: row.oomKills, diskFull: row.diskFull)
        let outcome = OutcomeBuilder().outcome(of: report)
        #expect(outcome.cause == row.cause)
        #expect(outcome.jobState == row.state)
        #expect(outcome.returnCode == row.returnCode)
        #expect(outcome.exitCode == row.exitCode)
        #expect(outcome.signal == row.signal)
        #expect(outcome.commandStarted)
        #expect(outcome.cause.fault == (row.cause == .workerLost ? .infrastructure : .user))
    }

    struct FailureRow: Sendable {
        var kind: SandboxFailure.Kind
        var cause: Cause
        var exitCode: Int?
        var isRetryable: Bool
    }

    @Test(arguments: [
        FailureRow(kind: .commandNotFound, cause: .exited, exitCode: 127, isRetryable: false),
        FailureRow(kind: .commandNotExecutable, cause: .exited, exitCode: 126, isRetryable: false),
        FailureRow(kind: .spec, cause: .setupFailed, exitCode: nil, isRetryable: false),
        FailureRow(kind: .setup, cause: .setupFailed, exitCode: nil, isRetryable: true),
    ])
    func everyFailureToStartHasItsCause(row: FailureRow) {
        let failure = SandboxFailure(stage: "user", errno: 2, message: "no such user bob", kind: row.kind)
        let outcome = OutcomeBuilder().outcome(of: failure, isCancelled: false)
        #expect(outcome.cause == row.cause)
        #expect(outcome.exitCode == row.exitCode)
        #expect(outcome.isRetryable == row.isRetryable)
        #expect(!outcome.commandStarted)
        #expect(outcome.message?.contains("no such user bob") == true)
        #expect(OutcomeBuilder().outcome(of: failure, isCancelled: true).cause == .cancelled)
    }

    @Test func messagesNameTheLimitAndWhatToTry() {
        var spec = JobSpec(command: ["true"])
        spec.resources.memoryBytes = 1 << 30
        spec.resources.diskBytes = 512 << 20
        spec.timeoutSeconds = 300
        let builder = OutcomeBuilder(spec)
        let oom = builder.outcome(of: ExitReport(end: .killed, reason: .none, oomKills: 1))
        #expect(oom.message == "oom: limit 1GiB, try --memory 2GiB")
        let disk = builder.outcome(of: ExitReport(end: .exited(code: 1), reason: .none, diskFull: true))
        #expect(disk.message == "disk_limit: limit 512MiB, try --disk 1GiB")
        let files = ExitReport(end: .exited(code: 1), reason: .none, inodes: 32_768, diskFull: true, inodesFull: true)
        #expect(
            builder.outcome(of: files).message
                == "disk_limit: 32768 files and directories, the most for 512MiB, try --disk 1GiB")
        let timeout = builder.outcome(of: ExitReport(end: .killed, reason: .timeout))
        #expect(timeout.message == "timeout: ran for 300 s, try a longer --timeout")
    }

    @Test func aCutStreamOfAnExecSaysWhatHelps() {
        var builder = OutcomeBuilder()
        for (limit, bytes, message) in [
            (1 << 20, 1 << 20, "a stream was cut at its limit of 1MiB; run the job with a higher --output-limit"),
            (1 << 30, 1 << 30, "a stream was cut at its limit of 1GiB; run the job with a higher --output-limit"),
            (1 << 20, 4_096, "a stream was cut, as the worker could not keep more of it"),
        ] as [(Int64, UInt64, String)] {
            builder.outputBytes = limit
            let report = ExitReport(
                end: .exited(code: 0), reason: .none, stderrBytes: bytes, outputTruncated: true)
            #expect(builder.outcome(ofExec: report).message == message)
        }
    }

    @Test func aFullMemoryIsNoFailureOfTheWorker() {
        let failure = SandboxFailure(stage: "memory", errno: 12, message: "full", kind: .memory)
        var builder = OutcomeBuilder()
        #expect(builder.outcome(of: failure, isCancelled: false).message?.hasSuffix("with --memory") == true)
        builder.memoryBytes = 64 << 20
        let outcome = builder.outcome(of: failure, isCancelled: false)
        #expect(outcome.cause == .oom && outcome.returnCode == 137 && !outcome.commandStarted)
        #expect(
            outcome.message
                == "oom: the sandbox's memory of 64MiB was full before the command began; end a command in it or "
                + "remove files from /tmp, or run the job with --memory 128MiB")
    }

    @Test func aNetworkThatEndedIsSaidBesideTheEnd() {
        func outcome(_ count: UInt32, _ end: ExitReport.End = .exited(code: 1), downloads: String = "") -> Outcome {
            OutcomeBuilder().outcome(
                of: ExitReport(end: end, reason: .none, downloadMessage: downloads, networkInterruptions: count))
        }
        let text = "while the command ran; connections of that moment were lost"
        #expect(outcome(1).message == "network: it ended once \(text)")
        #expect(outcome(1).exitCode == 1 && outcome(0).message == nil)
        #expect(outcome(3, .signaled(signal: 9)).message == "ended by signal 9; network: it ended 3 times \(text)")
        #expect(
            outcome(2, downloads: "/out is not there").message
                == "network: it ended 2 times \(text); downloads: /out is not there")
        var report = ExitReport(end: .exited(code: 0), reason: .none, networkInterruptions: 2)
        #expect(Evidence(report, hostFingerprint: nil).networkInterruptions == 2)
        report.networkLost = true
        #expect(
            OutcomeBuilder().outcome(of: report).message
                == "network: it ended 2 times while the command ran and did not come back: from the last time on "
                + "nothing was reached")
        let quiet = ExitReport(end: .exited(code: 0), reason: .none)
        #expect(Evidence(quiet, hostFingerprint: nil).networkInterruptions == nil)
    }

    @Test func aFullDiskOfTheHostIsNoLimitOfTheJobs() {
        func outcome(_ end: ExitReport.End) -> Outcome {
            OutcomeBuilder().outcome(of: ExitReport(end: end, reason: .none, hostDiskFull: true))
        }
        let note = "disk: the host's disk was full before the limit of the job's own was reached"
        #expect(outcome(.exited(code: 1)).cause == .exited && outcome(.exited(code: 1)).message == note)
        #expect(outcome(.signaled(signal: 25)).message == "ended by signal 25; \(note)")
        // Who got on without that room does not care.
        #expect(outcome(.exited(code: 0)).message == nil)
    }

    @Test func aDownloadThatFailedIsSaidBesideTheEnd() {
        let report = ExitReport(end: .exited(code: 0), reason: .none, downloadMessage: "/out is not there")
        let outcome = OutcomeBuilder().outcome(of: report)
        #expect(outcome.exitCode == 0)
        #expect(outcome.message == "downloads: /out is not there")
    }

    @Test(arguments: [(WritableLayerKind.tmpfs, "tmpfs"), (.loop, "loop"), (.projectQuota, "project_quota")])
    func evidenceNamesTheWritableLayer(kind: WritableLayerKind, name: String) {
        let report = ExitReport(end: .exited(code: 0), reason: .none, writableLayer: kind)
        #expect(Evidence(report, hostFingerprint: nil).writableLayer == name)
    }
}
