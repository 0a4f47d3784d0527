import ArgumentParser
import Sandpool

/// Which pool a verb speaks to.
struct ConnectionOptions: ParsableArguments {
    @Flag(help: "Use this user's own pool on this host instead of a coordinator.")
    var local = false

    /// What a verb needs of a pool.
    enum Need {
        /// Only what is stored.
        case reading
        /// Something that runs jobs.
        case running
    }

    /// Runs `body` with the pool that the flags and the environment name. A local pool that this process had to
    /// start goes on until it is idle.
    func withPool(for need: Need, _ body: (Pool) async throws -> Void) async throws {
        guard local else { return try await body(Pool.fromEnvironment()) }
        try await LocalPool.withPool(for: need, body)
    }
}
