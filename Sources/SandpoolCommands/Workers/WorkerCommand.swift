import ArgumentParser

/// `sandpool worker`: the hosts that run jobs.
struct WorkerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker",
        abstract: "Run a worker on this host, or look after those of a pool.",
        discussion: "Example: sandpool worker drain build-3",
        subcommands: [
            StartWorker.self, ListWorkers.self, ShowWorker.self, DrainWorker.self, ResumeWorker.self,
            ForgetWorker.self, VerifyWorker.self,
        ])
}
