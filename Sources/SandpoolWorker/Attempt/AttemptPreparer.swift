import SandpoolAPI
import SandpoolModel
import SandpoolSandbox

/// What a sandbox is laid over, ready in the launcher's storage.
package struct PreparedRoot: Equatable, Sendable {
    package var root: SandboxPlan.Root
    /// Every layer that the sandbox will use, mounts included, counted in `LayerUse` until the core is done
    /// with them.
    package var layers: [String]

    package init(root: SandboxPlan.Root, layers: [String]) {
        self.root = root
        self.layers = layers
    }
}

/// Why something could not be fetched or built.
struct PreparationFailure: Error, Hashable, Sendable {
    var outcome: Outcome
}

/// Gets what a job needs into the launcher's storage.
protocol AttemptPreparer: Sendable {
    /// Images that can be started at once.
    var readyImages: [String] { get }

    /// What needs no fetching: answered at once, without a change of threads.
    func immediateRoot(for spec: JobSpec) -> PreparedRoot?

    /// Fetches and builds.
    ///
    /// - Parameter building: called when a build begins.
    func prepare(
        _ assignment: Assignment, building: @escaping @Sendable () async -> Void
    ) async throws(PreparationFailure) -> PreparedRoot

    /// Uploads the archive of downloads and answers with its digest.
    func upload(downloadsAt path: String) async throws -> String
}
