import ArgumentParser

/// `sandpool coordinator`.
struct CoordinatorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "coordinator",
        abstract: "Run the coordinator of a pool, and look after what it keeps.",
        discussion: "Example: sandpool coordinator start --data-dir /var/lib/sandpool/coordinator",
        subcommands: [StartCoordinator.self, CheckCoordinator.self, BackUpCoordinator.self])
}
