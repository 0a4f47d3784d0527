import ArgumentParser
import SandpoolCoordinator
import SandpoolModel

/// `sandpool coordinator backup`.
struct BackUpCoordinator: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Copy what a coordinator keeps, while it runs.",
        discussion: """
            TARGET is a data directory of its own afterwards, as of one moment, whole or not there. It holds the \
            hashes of the tokens and no secret of them; the first start on it writes an admin token. To restore it, \
            start the coordinator on a copy of it.

            Example: sudo sandpool coordinator backup /backup/sandpool-$(date +%F)
            """)

    @Option(help: .init("Where the coordinator keeps its files.", valueName: "dir"))
    var dataDir = DataDirectories.standard("coordinator")
    @Argument(help: "The directory to make.")
    var target: String

    func run() throws {
        let summary = try CoordinatorBackup(dataDirectory: dataDir, target: target).run()
        StandardError.line(
            "sandpool: \(summary.files) files of together \(MeasuredSize.text(summary.bytes)) are in "
                + TerminalText.harmless(target))
    }
}
