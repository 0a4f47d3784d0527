import Foundation
import SandpoolModel

/// One of the mixed jobs: what is submitted and how it must end.
struct MixedJob {
    let name: String
    let arguments: [String]
    let state: JobState
    let cause: Cause
    var exitCode: Int?
    var signal: Int?
    var returnCode: Int
    var stdout = Data()
    var stderr = Data()
    var isCancelled = false

    private static let options = [
        "submit", "--block-network", "--cpus", "0.1", "--memory", "64MiB", "--disk", "32MiB",
    ]

    /// Makes the `index`-th job; kinds take turns.
    static func make(_ index: Int) -> MixedJob {
        let name = "mixed-\(index)"
        func job(_ script: String, timeout: Int = 300) -> [String] {
            options + ["--name", name, "--timeout", "\(timeout)", "--", "sh", "-c", script]
        }
        switch index % 6 {
        case 0:
            return MixedJob(
                name: name, arguments: job("echo out \(index); echo err \(index) >&2"), state: .succeeded,
                cause: .exited, exitCode: 0, returnCode: 0, stdout: Data("out \(index)\n".utf8),
                stderr: Data("err \(index)\n".utf8))
        case 1:
            let code = 1 + index % 255
            return MixedJob(
                name: name, arguments: job("sleep 0.2; exit \(code)"), state: .failed, cause: .exited, exitCode: code,
                returnCode: code)
        case 2:
            let signal = [Int(SIGKILL), Int(SIGSEGV), Int(SIGUSR1)][index / 6 % 3]
            return MixedJob(
                name: name, arguments: job("kill -\(signal) $$"), state: .failed, cause: .signaled, signal: signal,
                returnCode: 128 + signal)
        case 3:
            return MixedJob(
                name: name, arguments: job("echo before; exec sleep 600", timeout: 1), state: .timedOut,
                cause: .timeout, signal: Int(SIGTERM), returnCode: 124, stdout: Data("before\n".utf8))
        case 4:
            return MixedJob(
                name: name, arguments: job("exec sleep 3600", timeout: 3_600), state: .cancelled, cause: .cancelled,
                returnCode: 137, isCancelled: true)
        default:
            let bytes = index % 30 == 5 ? 10 << 20 : 100_000
            let letter = String(UnicodeScalar(UInt8(97 + index % 26)))
            return MixedJob(
                name: name, arguments: job("head -c \(bytes) /dev/zero | tr '\\0' \(letter)"), state: .succeeded,
                cause: .exited, exitCode: 0, returnCode: 0, stdout: Data(repeating: Data(letter.utf8)[0], count: bytes))
        }
    }
}
