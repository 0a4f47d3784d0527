import NIOConcurrencyHelpers

/// Images that can be started without building.
final class ReadyImages: Sendable {
    private let built: NIOLockedValueBox<Set<String>>

    /// - Parameter layers: what the launcher has.
    init(layers: [String]) {
        built = NIOLockedValueBox(Set(layers.compactMap(MmdebstrapBuilder.image(ofLayer:))))
    }

    func add(_ image: String) { _ = built.withLockedValue { $0.insert(image) } }

    func names(offersHostImage: Bool) -> [String] {
        (offersHostImage ? ["host"] : []) + ["scratch"] + built.withLockedValue { $0.sorted() }
    }
}
