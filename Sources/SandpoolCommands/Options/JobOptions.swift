import ArgumentParser
import Sandpool
import SandpoolModel

/// A job as the command line describes it.
struct JobOptions: ParsableArguments {
    @OptionGroup(title: "Environment options") var environment: EnvironmentOptions
    @OptionGroup(title: "Resource options") var resources: ResourceOptions
    @OptionGroup(title: "Time options") var times: TimeOptions
    @OptionGroup(title: "Network options") var network: NetworkOptions
    @OptionGroup(title: "File options") var files: FileOptions
    @OptionGroup(title: "Placement options") var placement: PlacementOptions
    @Argument(parsing: .captureForPassthrough, help: "The command and its arguments, after --.")
    var command: [String] = []

    /// The spec but for its mounts, which need a pool to upload them to.
    func spec(policy: DisconnectPolicy, stdin: StandardInput = .none) throws -> JobSpec {
        var spec = JobSpec(command: try Self.words(of: command))
        try environment.apply(to: &spec)
        resources.apply(to: &spec)
        times.apply(to: &spec)
        network.apply(to: &spec)
        placement.apply(to: &spec, policy: policy)
        spec.stdin = stdin
        return spec
    }

    /// The program and its arguments, without the `--` before them.
    static func words(of command: [String]) throws -> [String] {
        let words = command.first == "--" ? Array(command.dropFirst()) : command
        guard let program = words.first, !program.isEmpty else { throw ValidationError("the command is missing") }
        return words
    }
}

extension AsyncParsableCommand {
    /// Refuses what stands where a command begins and looks like an option. The parser passes everything on from
    /// the first word it does not know, so that options of the command are never taken for ours.
    static func checkCommandStart(_ words: [String]) throws {
        guard let first = words.first, first.hasPrefix("-"), first != "--" else { return }
        if first == "-h" || first == "--help" { throw CleanExit.helpRequest(self) }
        let option = first.prefix { $0 != "=" }
        let known = OptionNames(of: self).all.filter { $0.hasPrefix("--") }.map { String($0.dropFirst(2)) }
        let near = nearestWord(to: String(option.dropFirst(2)), in: known)
        let shown = TerminalText.harmless(String(option), limit: 64)
        throw ValidationError("unknown option '\(shown)'\(near.map { ", did you mean --\($0)?" } ?? "")")
    }
}
