import SandpoolSandbox

/// Who waits for an answer of the launcher.
struct LauncherWaiters {
    /// The one who connected; answered when the launcher has listed what it holds.
    var ready: CheckedContinuation<[String], any Error>?
    /// Layers under way.
    var imports: [String: CheckedContinuation<UInt64, any Error>] = [:]
    /// The one who connected, told when the connection is gone.
    var closed: CheckedContinuation<String, Never>?

    mutating func stopWatching() {
        closed?.resume(returning: "")
        closed = nil
    }

    mutating func failAll(_ error: WorkerError) {
        ready?.resume(throwing: error)
        ready = nil
        for waiter in imports.values { waiter.resume(throwing: error) }
        imports = [:]
        closed?.resume(returning: error.description)
        closed = nil
    }
}
