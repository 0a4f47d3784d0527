import Glibc

/// What comes through the pipe that tells the launcher whether the command was executed. Its end alone does
/// not say: it also ends when pid 1 is killed.
enum FailurePipe {
    static let executing: [UInt8] = [1]
    static let failed: [UInt8] = [2]

    enum Outcome: Equatable {
        case executed
        case failed(SandboxFailure)
        /// The sandbox was killed before its command was executed.
        case none

        /// Whether the kernel had no memory for a step of the start.
        var hadNoMemory: Bool { if case .failed(let failure) = self { failure.errno == ENOMEM } else { false } }
    }

    /// Reads everything that came until the end.
    static func outcome(_ bytes: [UInt8]) -> Outcome {
        if let start = bytes.firstIndex(of: failed[0]), start <= 1 {
            let failure = try? SandboxFailure(decoding: Array(bytes[(start + 1)...]))
            return failure.map { .failed($0) } ?? .none
        }
        return bytes == executing ? .executed : .none
    }
}
