import Glibc
import LinuxSystem

/// execve(2) with the lookup in PATH that a shell does.
enum Program {
    private static let defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    /// Returns only when no program was executed.
    static func execute(_ arguments: [String], environment: [String]) -> StageError {
        let name = arguments[0]
        var argumentPointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        var environmentPointers: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) } + [nil]
        var denied: Int32 = 0
        for candidate in candidates(for: name, environment: environment) {
            execve(candidate, &argumentPointers, &environmentPointers)
            let code = errno
            switch code {
            case ENOENT, ENOTDIR, ENAMETOOLONG, ELOOP:
                // The file is there when its interpreter is not: then no other directory is tried.
                if access(candidate, F_OK) == 0 { return cannotExecute(candidate, code, "its interpreter is missing") }
            case EACCES: denied = denied == 0 ? code : denied
            case ENOEXEC: return cannotExecute(candidate, code, "it is no program, and has no #! line")
            case E2BIG:
                return StageError(
                    "exec", "exec \(name): arguments and environment are too long", code: code, kind: .spec)
            default:
                if SandboxFailure.Kind.ofImage(code) == .spec { return cannotExecute(candidate, code, text(code)) }
                return StageError("exec", "exec \(candidate): \(text(code))", code: code, kind: .setup)
            }
        }
        if denied != 0 { return cannotExecute(name, denied, "permission denied") }
        return StageError("exec", "\(name): command not found", code: ENOENT, kind: .commandNotFound)
    }

    private static func candidates(for name: String, environment: [String]) -> [String] {
        if name.utf8.contains(UInt8(ascii: "/")) { return [name] }
        if name.isEmpty { return [] }
        let path = environment.last { $0.hasPrefix("PATH=") }.map { String($0.dropFirst(5)) } ?? defaultPath
        return path.split(separator: ":", omittingEmptySubsequences: false).prefix(256).map { directory in
            directory.isEmpty ? "./\(name)" : "\(directory)/\(name)"
        }
    }

    private static func cannotExecute(_ name: String, _ code: Int32, _ why: String) -> StageError {
        StageError("exec", "\(name): cannot be executed: \(why)", code: code, kind: .commandNotExecutable)
    }

    private static func text(_ code: Int32) -> String { String(cString: strerror(code)) }
}
