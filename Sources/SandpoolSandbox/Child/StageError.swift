import Glibc
import LinuxSystem

/// A failure of a start, with the stage it belongs to.
struct StageError: Error {
    var failure: SandboxFailure

    init(_ stage: String, _ message: String, code: Int32 = 0, kind: SandboxFailure.Kind = .setup) {
        failure = SandboxFailure(stage: stage, errno: code, message: message, kind: kind)
    }
}

/// Runs one stage of a start and names it in the failure.
@discardableResult
func stage<Result>(
    _ name: String, kind: SandboxFailure.Kind = .setup, _ body: () throws(SystemError) -> Result
) throws(StageError) -> Result {
    do throws(SystemError) {
        return try body()
    } catch {
        throw StageError(name, "\(name): \(error)", code: error.code, kind: kind)
    }
}
