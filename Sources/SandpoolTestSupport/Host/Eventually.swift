/// A condition that did not come true in time.
public struct NeverCame: Error, CustomStringConvertible {
    public let description: String

    public init(description: String) { self.description = description }
}

/// Waits until a condition holds, looking again every few milliseconds. The bound is for a test that hangs.
public func eventually(
    _ what: String, within limit: Duration = .seconds(60), _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now.advanced(by: limit)
    while try await !condition() {
        guard ContinuousClock.now < deadline else {
            throw NeverCame(description: "waited \(limit) in vain until \(what)")
        }
        try await Task.sleep(for: .milliseconds(2))
    }
}

/// Spreads what a test does over time, so that it meets the thing under test in different states. No outcome
/// may depend on how long it took.
public func scatter(_ delay: Duration) async throws { try await Task.sleep(for: delay) }
