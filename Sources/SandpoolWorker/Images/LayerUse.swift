import NIOConcurrencyHelpers

/// Which layers of the launcher's storage are needed, counted: by sandboxes, and by preparations before them.
final class LayerUse: Sendable {
    private let counts = NIOLockedValueBox<[String: Int]>([:])

    func isUsed(_ layer: String) -> Bool { counts.withLockedValue { $0[layer] != nil } }

    func add(_ layers: [String]) {
        counts.withLockedValue { counts in
            for layer in layers { counts[layer, default: 0] += 1 }
        }
    }

    func remove(_ layers: [String]) {
        counts.withLockedValue { counts in
            for layer in layers {
                guard let count = counts[layer] else { continue }
                counts[layer] = count > 1 ? count - 1 : nil
            }
        }
    }
}
