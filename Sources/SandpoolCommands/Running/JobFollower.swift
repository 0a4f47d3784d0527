import Glibc
import NIOCore
import NIOPosix
import Sandpool
import SandpoolModel

/// Follows one job for a user at a terminal or in a pipe: output to stdout and stderr, input and signals to it.
struct JobFollower: Sendable {
    let stream: JobStream
    /// Whether stdin is passed on.
    let passesInput: Bool
    let isVerbose: Bool
    /// Whether to tell what the job waits for.
    let tellsWaits: Bool
    /// Where signals come in, when somebody has taken them over before.
    var signals: SignalPipe?
    /// Where it is kept how much the user was shown, for a process that takes this one's place.
    var shown: ShownOutput?

    /// How long a job whose output nobody reads is given to end, before this process ends without it.
    private static let endPatience = Duration.seconds(3)

    /// Follows the job to its end.
    func follow() async throws -> Job {
        let relay = SignalRelay(try signals ?? SignalPipe())
        let progress = ProgressLine(tellsWaits: tellsWaits)
        return try await withThrowingTaskGroup(of: Void.self, returning: Job.self) { group in
            group.addTask { await stream.forward(relay) }
            if progress.isLive { group.addTask { await progress.run() } }
            if passesInput { group.addTask { try await stream.forwardStandardInput() } }
            defer {
                relay.stop()
                progress.clear()
                group.cancelAll()
            }
            do {
                return try await forwardOutput(progress)
            } catch {
                // The group waits for who writes, and nobody would take any more of it.
                await stream.close()
                throw error
            }
        }
    }

    private func forwardOutput(_ progress: ProgressLine) async throws -> Job {
        let sink = OutputSink()
        while let event = try await stream.next() {
            switch event {
            case .created(let id, _):
                if isVerbose { StandardError.line("sandpool: job \(id)") }
                if let shown { await begin(shown, of: id) }
            case .state(let state, let note):
                progress.update(state, note: note)
            case .output(let output, let bytes):
                progress.clear()
                try await pass(bytes, to: output == .stdout ? STDOUT_FILENO : STDERR_FILENO, sink)
                if let shown, let position = await stream.position { shown.note(position) }
            case .reconnecting(let error):
                progress.clear()
                // What comes back by itself is no news for a log file.
                if isVerbose || progress.isLive { StandardError.line("sandpool: \(error.message); reconnecting") }
            case .finished(let job):
                shown?.remove()
                return job
            }
        }
        throw SandpoolError(code: "bad_answer", message: "the job's stream ended without its result")
    }

    private func begin(_ shown: ShownOutput, of job: JobID) async {
        if let earlier = shown.position, earlier.job == job {
            guard earlier.hasOutput else { return }
            let shown = "\(earlier.stdout) bytes of stdout and \(earlier.stderr) of stderr"
            StandardError.line("sandpool: going on with job \(job) after \(shown)")
        } else {
            shown.note(JobPosition(job: job, attempt: nil, stdout: 0, stderr: 0))
        }
    }

    /// A reader that is gone ends the job, as SIGPIPE would end a command in a pipeline.
    private func pass(_ bytes: ByteBuffer, to descriptor: Int32, _ sink: OutputSink) async throws {
        do {
            try await sink.write(bytes, to: descriptor)
        } catch let closed as ClosedOutput {
            try await stream.cancel()
            await withTaskGroup(of: Void.self) { group in
                group.addTask { try? await Task.sleep(for: Self.endPatience) }
                group.addTask { await awaitEnd() }
                await group.next()
                group.cancelAll()
            }
            throw closed
        }
    }

    private func awaitEnd() async {
        while let event = try? await stream.next() {
            if case .finished = event { return }
        }
    }
}
