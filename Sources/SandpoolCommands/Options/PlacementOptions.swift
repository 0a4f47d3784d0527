import ArgumentParser
import SandpoolModel

/// What the job is called, where it may run, and how often.
struct PlacementOptions: ParsableArguments {
    @Option(help: .init("A name to call the job by.", valueName: "name"))
    var name: String?
    @Option(help: .init("A pair to find the job by; can be repeated.", valueName: "k=v"), transform: OptionValue.label)
    var tag: [Label] = []
    @Option(
        help: .init("Run only where a worker has this label; can be repeated.", valueName: "label=value"),
        transform: OptionValue.label)
    var require: [Label] = []
    @Option(parsing: .unconditional, help: .init("Higher goes first, -1000 to 1000.", valueName: "n"))
    var priority: Int?
    @Option(help: .init("How often a failing command is tried again, up to 10.", valueName: "n"))
    var retries: Int?
    @Option(help: .init("Whether a job that was lost while it ran is run again: safe or never.", valueName: "when"))
    var rerun: RerunPolicy?
    @Option(help: .init("The same key with the same job names the same job.", valueName: "key"))
    var key: String?
    @Option(help: .init("When this client vanishes: cancel, a minute later, or detach.", valueName: "what"))
    var onDisconnect: DisconnectPolicy?

    /// - Parameter policy: what happens to the job of a client that vanishes, where the user does not say.
    func apply(to spec: inout JobSpec, policy: DisconnectPolicy) {
        spec.name = name
        spec.tags = OptionValue.dictionary(tag)
        spec.require = OptionValue.dictionary(require)
        spec.priority = priority ?? spec.priority
        spec.retries = retries ?? spec.retries
        spec.rerun = rerun
        spec.idempotencyKey = key
        spec.onDisconnect = onDisconnect ?? (key == nil ? policy : .detach)
    }
}
