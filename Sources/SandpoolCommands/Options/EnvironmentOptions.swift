import ArgumentParser
import FoundationEssentials
import Sandpool
import SandpoolModel

/// What the command finds around itself.
struct EnvironmentOptions: ParsableArguments {
    @Option(help: .init("host, mmdebstrap:SUITE, scratch, or an im-… id.", valueName: "ref"))
    var image: String?
    @OptionGroup var surroundings: SurroundingsOptions

    func apply(to spec: inout JobSpec) throws {
        spec.image = image
        spec.workingDirectory = surroundings.workdir
        spec.user = surroundings.user
        spec.environment = try surroundings.variables()
    }
}
