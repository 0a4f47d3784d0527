import ArgumentParser
import Sandpool
import SandpoolModel

/// `sandpool exec`: a further command in the sandbox of a job that runs.
struct Exec: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a further command in the sandbox of a running job and end with its exit code.",
        usage: "sandpool exec [<options>] <id> -- <command> [<argument> ...]",
        discussion: """
            The command has the job's variables, directory and user unless others are given, and shares the \
            sandbox's files, limits and network. It ends with the job and with this client, and what it writes is \
            kept nowhere: it waits while its output is not read. Of each stream comes as much as the job's \
            --output-limit. Ctrl-C sends it SIGINT, a second one ends it, a third one leaves. Exit codes are those of \
            run.

            Example: sandpool exec -w /repo nightly -- git status
            """)

    @OptionGroup var connection: ConnectionOptions
    @Flag(name: .customShort("i"), help: "Pass stdin on to the command.")
    var passesInput = false
    @Flag(name: .customShort("t"), help: .hidden)
    var wantsTerminal = false
    @OptionGroup var surroundings: SurroundingsOptions
    @Option(
        help: .init("End the command after this long: seconds, or 10m, 1h30m.", valueName: "time"),
        transform: OptionValue.duration)
    var timeout: Double?
    @Argument(help: "A job: its id, a name, the end of an id, or @last.")
    var id: String
    @Argument(parsing: .captureForPassthrough, help: "The command and its arguments, after --.")
    var command: [String] = []

    func validate() throws {
        guard !wantsTerminal else {
            throw ValidationError("terminals are not built; leave out -t, -i alone passes stdin on")
        }
        try Self.checkCommandStart(command)
    }

    func run() async throws {
        var spec = ExecSpec(command: try JobOptions.words(of: command))
        spec.environment = try surroundings.variables()
        spec.workingDirectory = surroundings.workdir
        spec.user = surroundings.user
        spec.timeoutSeconds = timeout
        spec.stdin = passesInput ? .stream : .none
        try await connection.withPool(for: .running) { [spec] pool in
            let stream = try await pool.exec(in: id, spec, waitsInQueue: false)
            let (end, hasStarted) = try await ExecFollower(stream: stream, passesInput: passesInput).follow()
            // One that never began, for want of memory, cannot have said anything itself.
            let status = CommandEnd(returnCode: end.returnCode, cause: end.cause, message: end.message)
                .report(isVerbose: !hasStarted)
            if status != .success { throw status }
        }
    }
}
