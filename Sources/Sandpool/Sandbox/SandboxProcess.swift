import NIOCore
import SandpoolAPI
import SandpoolModel

/// A further command in a sandbox.
///
/// It ends with this handle: once nobody holds it, its input or its outputs any more, it is ended as `terminate` does.
/// What it writes is live, so each output can be read once, up to the sandbox's `outputBytes`; what comes after is
/// dropped with a mark. Up to 8 MiB of each wait here for a reader, then the connection stands still, and with 64 MiB
/// more on the worker the command does. So read what may be long while it comes.
///
/// ```swift
/// let process = try await sandbox.exec("sort", stdin: true)
/// try await process.stdin.write("b\na\n")
/// try await process.stdin.finish()
/// print(try await process.stdout.readText(), try await process.wait())
/// ```
public final class SandboxProcess: Sendable {
    /// The command's standard input; open only where `exec` was told so.
    public let stdin: SandboxInput
    public let stdout: SandboxOutput
    public let stderr: SandboxOutput
    private let line: ExecLine

    /// - Parameter stream: opened.
    init(_ stream: ExecStream) {
        line = ExecLine(stream)
        stdin = SandboxInput(line)
        stdout = SandboxOutput(line, .stdout)
        stderr = SandboxOutput(line, .stderr)
    }

    /// The code of the command as a shell would report it; `nil` while it is not known to have ended, and for good
    /// where it could not be run.
    public var returnCode: Int? { line.end?.returnCode }

    /// Waits for the end of the command.
    ///
    /// - Returns: its code. A command that fails is no error.
    /// - Throws: `SandpoolError` where there is no code, because the command could not be run or was lost.
    @discardableResult
    public func wait() async throws -> Int {
        let end = try await line.wait()
        guard let code = end.returnCode else {
            throw SandpoolError(
                code: end.cause.rawValue, message: end.message ?? "the command could not be run in the sandbox")
        }
        return code
    }

    /// Ends the command: SIGTERM, the job's grace, kill. Answers at once; `wait` tells when it is over.
    public func terminate() async throws { try await line.stream.cancel() }

    /// Sends a signal to the command.
    public func signal(_ signal: Int) async throws { try await line.stream.signal(signal) }
}

extension Sandbox {
    /// Runs a further command in this sandbox, once its own runs.
    ///
    /// It shares the sandbox's files, limits and network, and ends with it.
    ///
    /// - Parameters:
    ///   - command: one string runs through `/bin/sh -c`; several are a program and its arguments.
    ///   - environment: variables beside those of the sandbox, or in their place.
    ///   - workingDirectory: `nil` is the sandbox's own.
    ///   - user: a name or a uid; `nil` is the sandbox's own.
    ///   - timeout: time from its start to its SIGTERM; `nil` is as long as the sandbox runs.
    ///   - stdin: whether `stdin` is streamed; otherwise the command reads from `/dev/null`.
    /// - Throws: `SandpoolError`, before anything runs; its code is `not_running` where the sandbox has ended.
    public func exec(
        _ command: String...,
        environment: [String: String] = [:],
        workingDirectory: String? = nil,
        user: String? = nil,
        timeout: Duration? = nil,
        stdin: Bool = false
    ) async throws -> SandboxProcess {
        var spec = ExecSpec(command: Self.arguments(command))
        spec.environment = environment
        spec.workingDirectory = workingDirectory
        spec.user = user
        spec.timeoutSeconds = timeout.map { Double($0.wholeMilliseconds) / 1_000 }
        spec.stdin = stdin ? .stream : .none
        return try await exec(spec)
    }

    /// Runs a further command from a whole spec.
    public func exec(_ spec: ExecSpec) async throws -> SandboxProcess {
        SandboxProcess(try await pool.exec(in: id.text, spec, waitsInQueue: true))
    }
}
