import SandpoolModel

/// Checks of arguments that every implementation makes before it touches anything.
package enum Bounds {
    package static func check(count: Int, of what: String) throws {
        guard count <= StoreLimits.batch else {
            throw StoreError.invalid("\(count) \(what) at once; at most \(StoreLimits.batch)")
        }
    }

    package static func check(limit: Int) throws {
        guard (1...StoreLimits.page).contains(limit) else {
            throw StoreError.invalid("a page of \(limit); 1 to \(StoreLimits.page)")
        }
    }

    package static func check(_ outcome: Outcome, of lease: LeaseKey) throws {
        func refuse(_ what: String) -> StoreError { .invalid("result of \(lease.attempt): \(what)") }
        if let code = outcome.exitCode, !(0...255).contains(code) { throw refuse("exit code \(code)") }
        if let signal = outcome.signal, !(1...64).contains(signal) { throw refuse("signal \(signal)") }
        if outcome.exitCode != nil, outcome.signal != nil { throw refuse("an exit code and a signal") }
        if outcome.cause == .exited, outcome.exitCode == nil { throw refuse("exited without an exit code") }
    }

    package static func check(_ report: ResultReport) throws {
        func refuse(_ what: String) -> StoreError { .invalid("result of \(report.lease.attempt): \(what)") }
        try check(report.outcome, of: report.lease)
        for tail in report.tails {
            guard (1...StoreLimits.inlineOutputBytes).contains(tail.bytes.count), tail.offset >= 0 else {
                throw refuse("\(tail.bytes.count) bytes of \(tail.stream.rawValue) at \(tail.offset)")
            }
        }
        guard Set(report.tails.map(\.stream)).count == report.tails.count else {
            throw refuse("two tails of one stream")
        }
        if let digest = report.downloads, !(1...128).contains(digest.utf8.count) { throw refuse("downloads digest") }
    }

    package static func check(_ loss: LossReport) throws {
        try check(loss.outcome, of: loss.lease)
        guard loss.outcome.exitCode == nil, loss.outcome.signal == nil else {
            throw StoreError.invalid("loss of \(loss.lease.attempt): nobody reaped it, so it has no exit code")
        }
    }
}

extension Outcome {
    /// The outcome with a message of at most `StoreLimits.messageCharacters`.
    package var bounded: Outcome {
        var outcome = self
        outcome.message = message.map { String($0.prefix(StoreLimits.messageCharacters)) }
        return outcome
    }
}

extension Timestamp {
    /// A moment that a worker's clock named, put between the attempt's lease and now.
    package func clamped(from earliest: Timestamp, to latest: Timestamp) -> Timestamp {
        max(earliest, min(self, latest))
    }
}
