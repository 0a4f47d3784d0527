import ArgumentParser
import SandpoolModel

struct JobOptions: ParsableArguments {
    @Flag(name: .shortAndLong, help: "Tell how the job ended, and its id, also where stderr is no terminal.")
    var verbose = false
    @Argument(parsing: .captureForPassthrough, help: "The command and its arguments, after --.")
    var command: [String] = []

    func spec() throws -> JobSpec {
        JobSpec(command: command.first == "--" ? Array(command.dropFirst()) : command)
    }
    func disconnectPolicy(otherwise: DisconnectPolicy) -> DisconnectPolicy { otherwise }
}
