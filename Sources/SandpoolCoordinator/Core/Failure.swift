import SandpoolStore

/// Why a call to the store or to the output's files did not succeed.
package enum Failure: Error, Hashable, Sendable {
    case store(StoreError)
    case other(String)
    /// The coordinator stops.
    case stopped

    init(_ error: any Error) {
        switch error {
        case StoreError.closed, is CancellationError: self = .stopped
        case let error as StoreError: self = .store(error)
        case let error as FileError where error.isDiskFull: self = .store(.diskFull("\(error)"))
        default: self = .other("\(error)")
        }
    }

    /// A driver answered a call with what is no answer to it.
    static let mismatch = Failure.other("the store gave an answer of another kind")

    /// Whether what was asked for may be stored after all.
    var isAmbiguous: Bool { if case .store(.io) = self { true } else { false } }

    /// The error that says it to a client.
    var error: any Error {
        switch self {
        case .store(let error): error
        case .other: self
        case .stopped: StoreError.closed
        }
    }
}

extension Failure: CustomStringConvertible {
    package var description: String {
        switch self {
        case .store(let error): "\(error)"
        case .other(let message): message
        case .stopped: "the coordinator stops"
        }
    }
}
