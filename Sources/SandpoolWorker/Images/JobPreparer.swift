import LinuxSystem
import SandpoolAPI
import SandpoolModel
import SandpoolSandbox

/// Resolves images and fetches mounts.
struct JobPreparer: AttemptPreparer {
    let offersHostImage: Bool
    let layers: LayerStore
    let blobs: BlobClient
    let builder: MmdebstrapBuilder
    let use: LayerUse
    /// Images that were found ready, for the inventory.
    let ready: ReadyImages

    private static let uploadTries = 5

    var readyImages: [String] { ready.names(offersHostImage: offersHostImage) }

    func immediateRoot(for spec: JobSpec) -> PreparedRoot? {
        guard spec.mounts.isEmpty else { return nil }
        switch try? ImageReference(spec.image ?? "host") {
        case .host where offersHostImage: return PreparedRoot(root: .host, layers: [])
        case .scratch: return PreparedRoot(root: .scratch, layers: [])
        default: return nil
        }
    }

    func prepare(
        _ assignment: Assignment, building: @escaping @Sendable () async -> Void
    ) async throws(PreparationFailure) -> PreparedRoot {
        var needed: [String] = []
        do throws(PreparationFailure) {
            let (root, image) = try await self.root(for: assignment.spec, building, &needed)
            for mount in assignment.spec.mounts { try await fetch(mount, &needed) }
            return PreparedRoot(root: root, layers: image + assignment.spec.mounts.map { LayerName.blob($0.blob) })
        } catch {
            use.remove(needed)
            throw error
        }
    }

    private func root(
        for spec: JobSpec, _ building: @Sendable () async -> Void, _ needed: inout [String]
    ) async throws(PreparationFailure) -> (SandboxPlan.Root, [String]) {
        let image = spec.image ?? "host"
        switch try? ImageReference(image) {
        case .host where offersHostImage: return (.host, [])
        case .host: throw .impossible("this worker does not offer the image host (--no-host-image)")
        case .scratch: return (.scratch, [])
        case .mmdebstrap(let suite):
            let layer = try await debian(suite, building, &needed)
            return (.layers([layer]), [layer])
        case .registry, .image, nil:
            throw .impossible("image \(image) is not one of host, scratch and mmdebstrap:SUITE")
        }
    }

    private func debian(
        _ suite: String, _ building: @Sendable () async -> Void, _ needed: inout [String]
    ) async throws(PreparationFailure) -> String {
        let prefix = MmdebstrapBuilder.layerPrefix(suite)
        // The newest one that is there; its date stands at the end of its name.
        let known = await layers.names.last {
            $0.hasPrefix(prefix) && $0.dropFirst(prefix.count).allSatisfy(\.isNumber)
        }
        let layer = known ?? prefix + MmdebstrapBuilder.stamp(SystemClock.now())
        use.add([layer])
        needed.append(layer)
        if known == nil { await building() }
        do {
            try await layers.ensure(layer) { [builder] in try await builder.build(suite) }
        } catch {
            throw PreparationFailure(
                outcome: Outcome(cause: .setupFailed, message: "mmdebstrap:\(suite): \(error)", commandStarted: false))
        }
        ready.add("mmdebstrap:\(suite)")
        return layer
    }

    private func fetch(_ mount: Mount, _ needed: inout [String]) async throws(PreparationFailure) {
        guard BlobClient.isDigest(mount.blob) else {
            throw .impossible("mount \(mount.path): \(mount.blob) is no digest")
        }
        let layer = LayerName.blob(mount.blob)
        use.add([layer])
        needed.append(layer)
        do {
            try await layers.ensure(layer) { [blobs] in try await blobs.fetch(mount.blob) }
        } catch {
            let refused = error as? CoordinatorClient.Refused
            throw PreparationFailure(
                outcome: Outcome(
                    cause: .fetchFailed, message: "mount \(mount.path): \(refused?.error.description ?? "\(error)")",
                    commandStarted: false, isRetryable: refused == nil))
        }
    }

    func upload(downloadsAt path: String) async throws -> String {
        var backoff = Backoff()
        while true {
            do {
                return try await blobs.upload(path)
            } catch let refused as CoordinatorClient.Refused {
                throw refused.error
            } catch  where backoff.losses < Self.uploadTries {
                try await Task.sleep(for: backoff.next())
            }
        }
    }
}

extension PreparationFailure {
    /// What no other worker could do either.
    static func impossible(_ message: String) -> PreparationFailure {
        PreparationFailure(
            outcome: Outcome(cause: .setupFailed, message: message, commandStarted: false, isRetryable: false))
    }
}
