import Sandpool

/// Does the same to several jobs.
enum EachJob {
    /// - Throws: 125 in the end, where one of them is not there or not in the state for it.
    static func act(on references: [String], _ body: (String) async throws -> Void) async throws {
        var failed = false
        for reference in references {
            do {
                try await body(reference)
            } catch let error as SandpoolError where error.status == 404 || error.status == 409 {
                // One that is not there must not keep the others from it.
                StandardError.line("sandpool: \(error)")
                failed = true
            }
        }
        if failed { throw ExitStatus.sandpoolFailure }
    }
}
