import ArgumentParser
import SandpoolCoordinator
import SandpoolModel

/// `sandpool coordinator check`.
struct CheckCoordinator: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Look for damage in what a coordinator keeps.",
        discussion: """
            Reads the database, the output and the uploads, and changes nothing; the coordinator may run meanwhile. \
            Prints a line for each finding: where, what, and what to do. Ends with 0 where everything is as it must \
            be, with 1 where something is not.

            Example: sudo sandpool coordinator check --data-dir /var/lib/sandpool/coordinator
            """)

    @Option(help: .init("Where the coordinator keeps its files.", valueName: "dir"))
    var dataDir = DataDirectories.standard("coordinator")
    @Flag(help: "Read all output too, and compare it with what the commands wrote.")
    var output = false
    @Flag(help: "Print each finding as a line of JSON.")
    var json = false

    func run() throws {
        let summary = try CoordinatorCheck(dataDirectory: dataDir, readsOutput: output).run { finding in
            try StandardOutput.line(json ? try JSONText.line(finding) : TerminalText.harmless("\(finding)"))
        }
        let result = summary.findings == 0 ? "everything is as it must be" : "findings: \(summary.findings)"
        StandardError.line(
            "sandpool: looked at jobs: \(summary.jobs), attempts: \(summary.attempts), and their files; \(result)")
        guard summary.findings == 0 else { throw ExitStatus(code: 1) }
    }
}
