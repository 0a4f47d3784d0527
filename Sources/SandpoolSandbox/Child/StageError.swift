import Glibc
import LinuxSystem

/// A failure of a start, with the stage it belongs to.
struct StageError: Error {
    var failure: SandboxFailure

    /// Names and paths of the plan can be of any length and hold anything: what is told is one line, and short
    /// enough for a message.
    init(_ stage: String, _ message: String, code: Int32 = 0, kind: SandboxFailure.Kind = .setup) {
        failure = SandboxFailure(
            stage: stage.asLine(limit: Self.stageLimit), errno: code, message: message.asLine(limit: Self.messageLimit),
            kind: kind)
    }

    /// The launcher, or its spooler, can open nothing more.
    static let noDescriptors = StageError(
        "descriptors",
        "the launcher has as many files open as it may; raise the limit (LimitNOFILE= of its unit, ulimit -n), or run "
            + "fewer sandboxes at once", code: EMFILE)

    init(_ error: NetworkError) {
        self.init("network", error.message, code: error.code, kind: error.isUnenforceable ? .spec : .setup)
    }

    private static let stageLimit = 200
    private static let messageLimit = 1_000
}

/// Runs what makes one more process in a sandbox, which may have no room for it.
func addingProcess<Result>(_ body: () throws(SystemError) -> Result) throws(StageError) -> Result {
    do throws(SystemError) {
        return try body()
    } catch {
        guard error.code == EAGAIN else { throw StageError("fork", "fork: \(error)", code: error.code) }
        throw StageError("fork", "the sandbox has as many processes as it may (--pids)", code: EAGAIN, kind: .spec)
    }
}

extension SandboxFailure.Kind {
    /// Of a failed call on what the spec or its image brought: their fault, unless the host is short of something.
    static func ofImage(_ code: Int32) -> SandboxFailure.Kind {
        [EMFILE, ENFILE, ENOMEM, EAGAIN, EIO].contains(code) ? .setup : .spec
    }
}

extension String {
    /// Without control characters, and with at most so many bytes and a mark of what was cut.
    func asLine(limit: Int) -> String {
        var line = String.UnicodeScalarView()
        var count = 0
        for scalar in unicodeScalars {
            let isControl = scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
            let shown: Unicode.Scalar = isControl ? "?" : scalar
            count += UTF8.width(shown)
            if count > limit {
                line.append("…")
                break
            }
            line.append(shown)
        }
        return String(line)
    }
}

/// Runs one stage of a start and names it in the failure, with what kind an error is.
@discardableResult
func stage<Result>(
    _ name: String, kind: (_ code: Int32) -> SandboxFailure.Kind = { _ in .setup },
    _ body: () throws(SystemError) -> Result
) throws(StageError) -> Result {
    do throws(SystemError) {
        return try body()
    } catch {
        throw StageError(name, "\(name): \(error)", code: error.code, kind: kind(error.code))
    }
}
