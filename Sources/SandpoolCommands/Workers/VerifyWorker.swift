import ArgumentParser
import Logging
import Sandpool
import SandpoolModel
import SandpoolWorker

/// `sandpool worker verify`.
struct VerifyWorker: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Attack this host's sandboxes from inside, and show what held.",
        discussion: """
            Asks the worker that runs on this host; where none runs, it is the worker for that time. Ends with 1 \
            where an attack succeeded or could not be tried: then the worker takes no jobs.

            Example: sudo sandpool worker verify --exhaust
            """)

    @Flag(help: "Verify the sandboxes of --local.")
    var local = false
    @Option(help: .init("Where the worker keeps its files.", valueName: "dir"))
    var dataDir = DataDirectories.standard("worker")
    @Option(help: .init("A launcher that runs already, as under systemd.", valueName: "path"))
    var launcherSocket: String?
    @Option(help: .init("User to become after the start as root.", valueName: "user"))
    var user: String?
    @Flag(help: "Try only what a worker tries when it starts: no open network.")
    var quick = false
    @Flag(help: "Also try more of each resource than the limits allow.")
    var exhaust = false
    @Flag(help: "Print the result as JSON.")
    var json = false

    func validate() throws {
        guard !quick || !exhaust else { throw ValidationError("--quick and --exhaust cannot be used together") }
    }

    func run() async throws {
        let configuration = try configuration
        let base = configuration.dataDirectory
        let extent: VerificationExtent = exhaust ? .exhaustive : quick ? .quick : .full
        let asked = try VerificationCall.ask(in: ["\(base)/worker", base], extent)
        let result: Verification
        if let asked {
            result = asked
        } else {
            result = try await Worker(configuration: configuration, logger: quiet).verify(extent)
        }
        try StandardOutput.line(json ? try JSONText.pretty(result) : VerificationText.text(of: result))
        guard result.summary.isTrusted else { throw ExitStatus(code: 1) }
    }

    private var configuration: WorkerConfiguration {
        get throws {
            if local { return LocalPool.workerConfiguration(DataDirectories.local, socket: "/nowhere") }
            // Nobody is spoken to, so that any coordinator will do.
            return WorkerConfiguration(
                coordinator: CoordinatorAddress(socketPath: "/nowhere"), dataDirectory: dataDir,
                launcher: launcherSocket.map { .socket(path: $0) } ?? .spawned(user: user))
        }
    }

    private var quiet: Logger { Logger(label: "sandpool.worker") { _ in SwiftLogNoOpLogHandler() } }
}

/// A verification for people.
enum VerificationText {
    static func text(of verification: Verification) -> String {
        var table = Table("PROBE", "UID", "NETWORK", "RESULT", "DETAIL")
        for run in verification.runs {
            for finding in run.findings {
                table.add(finding.probe, String(run.user), run.network, word(finding.result), finding.detail)
            }
        }
        return "\(table.text)\n\n\(TerminalText.harmless(verification.summary.text))"
    }

    private static func word(_ result: ProbeFinding.Result) -> String {
        switch result {
        case .held: return "held"
        case .through: return "THROUGH"
        case .notRun: return "not run"
        }
    }
}
