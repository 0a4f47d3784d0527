import Glibc
import NIOCore
import Sandpool
import SandpoolModel

/// `sandpool run [--block-network] [--image REF] -- COMMAND…`, the form that scripts call over and over: read
/// without the argument parser and followed without threads for as long as nothing out of the ordinary happens.
/// Any other command line is not understood here, and nothing but time is lost.
struct PlainRun: Equatable {
    var command: [String]
    var image: String?
    var blockNetwork = false

    /// - Parameter arguments: the command line without the program's name.
    init?(_ arguments: [String]) {
        guard arguments.first == "run" else { return nil }
        var words = arguments.dropFirst()
        while let word = words.popFirst(), word != "--" {
            switch word {
            case "--block-network": blockNetwork = true
            case "--image":
                guard let value = words.popFirst(), !value.hasPrefix("-") else { return nil }
                image = value
            default: return nil
            }
        }
        guard let program = words.first, !program.isEmpty else { return nil }
        command = Array(words)
    }

    /// What is left to be done when this ends.
    enum Outcome {
        case ended(ExitStatus)
        /// The job goes on and has to be followed.
        case unfinished(JobFollower)
    }

    /// Runs the job as far as it can; `nil` when nothing was submitted.
    func run() throws -> Outcome? {
        guard let pool = try? Pool.fromEnvironment(), let signals = try? SignalPipe() else {
            return nil
        }
        // A reader that left is an error of write(2), not the end of this process.
        signal(SIGPIPE, SIG_IGN)
        let outcome = try QuickRun.run(
            command, image: image, blockNetwork: blockNetwork, in: pool, signals: signals.descriptor, pass: Self.pass)
        switch outcome {
        case .declined:
            signals.stop()
            return nil
        case .left: return .ended(.interrupted)
        case .exited(let code): return .ended(ExitStatus(code: code))
        case .finished(let job): return .ended(JobEnd(job, isVerbose: false).report())
        case .unfinished(let stream):
            return .unfinished(
                JobFollower(stream: stream, passesInput: false, isVerbose: false, tellsWaits: true, signals: signals))
        }
    }

    private static func pass(_ stream: OutputStream, _ bytes: ByteBuffer) -> Bool {
        let descriptor = stream == .stdout ? STDOUT_FILENO : STDERR_FILENO
        guard Descriptor.takesAtOnce(bytes.readableBytes, descriptor) else { return false }
        return (try? bytes.withUnsafeReadableBytes { try Descriptor.write($0, to: descriptor) }) != nil
    }
}
