import ArgumentParser
import SandpoolModel

/// What the sandbox may use.
struct ResourceOptions: ParsableArguments {
    @Option(help: .init("Processors, such as 0.5 or 2.", valueName: "n"), transform: OptionValue.positive)
    var cpus: Double?
    @Option(help: .init("Memory, such as 512MiB or 2GiB.", valueName: "size"), transform: OptionValue.size)
    var memory: Int64?
    @Option(help: .init("What the sandbox may write to its own disk.", valueName: "size"), transform: OptionValue.size)
    var disk: Int64?
    @Option(help: .init("Processes and threads alive at once.", valueName: "n"), transform: OptionValue.count)
    var pids: Int?
    @Option(
        help: .init("What is kept of each of stdout and stderr.", valueName: "size"), transform: OptionValue.size)
    var outputLimit: Int64?
    @Option(
        help: .init(
            "When a stream has more than that: truncate it and go on, or end the job as output_limit.",
            valueName: "what"))
    var onOutputLimit: OutputLimitPolicy?

    func apply(to spec: inout JobSpec) {
        spec.resources.cpus = cpus
        spec.resources.memoryBytes = memory
        spec.resources.diskBytes = disk
        spec.resources.pids = pids
        spec.resources.outputBytes = outputLimit
        spec.onOutputLimit = onOutputLimit ?? spec.onOutputLimit
    }
}

/// How long things may take.
struct TimeOptions: ParsableArguments {
    @Option(
        help: .init("End the command after this long: seconds, or 10m, 1h30m.", valueName: "time"),
        transform: OptionValue.duration)
    var timeout: Double?
    @Option(help: .init("Time between SIGTERM and SIGKILL.", valueName: "time"), transform: OptionValue.duration)
    var grace: Double?
    @Option(
        help: .init("Give up when it did not start within this.", valueName: "time"), transform: OptionValue.duration)
    var queueTimeout: Double?
    @Option(
        help: .init("End the command after this long without output.", valueName: "time"),
        transform: OptionValue.duration)
    var idleTimeout: Double?

    func apply(to spec: inout JobSpec) {
        spec.timeoutSeconds = timeout
        spec.graceSeconds = grace
        spec.queueTimeoutSeconds = queueTimeout
        spec.idleTimeoutSeconds = idleTimeout
    }
}
