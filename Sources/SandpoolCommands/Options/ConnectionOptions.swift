import ArgumentParser
import Sandpool

/// Which pool a verb speaks to.
struct ConnectionOptions: ParsableArguments {
    @Flag(help: "Use this user's own pool on this host instead of a coordinator.")
    var local = false

    /// The pool that the flags and the environment name.
    func pool() throws -> Pool { try Pool.fromEnvironment() }
}
