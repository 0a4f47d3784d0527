import Glibc
import SandpoolTestSupport

/// The launcher that was built beside the tests.
enum BuiltLauncher {
    private static let directory =
        "/" + #filePath.split(separator: "/").dropLast(4).joined(separator: "/") + "/.build/debug"

    static var path: String { "\(directory)/sandpool-launcher" }

    /// Where the worker looks for it, since the test runner itself is elsewhere.
    static func putIntoPath() {
        let path = getenv("PATH").map { String(cString: $0) } ?? ""
        if !path.hasPrefix(directory) { setenv("PATH", "\(directory):\(path)", 1) }
    }
}

/// A launcher that no worker started, as a service manager runs it.
struct DetachedLauncher: Sendable {
    let socket: String
    private let pid: pid_t

    /// Has it look at nothing until `resume`: what is sent to it waits.
    func pause() { kill(pid, SIGSTOP) }
    func resume() { kill(pid, SIGCONT) }

    static func with<Result>(_ body: (DetachedLauncher) async throws -> Result) async throws -> Result {
        let directory = try TemporaryDirectory()
        let socket = "\(directory.path)/l.sock"
        // A test run that is killed leaves it alone; then it ends by itself.
        let arguments = [
            BuiltLauncher.path, "--data-dir", "\(directory.path)/launcher", "--socket", socket, "--exit-when-idle",
            "60",
        ]
        var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
        words.append(nil)
        defer { for word in words { free(word) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, BuiltLauncher.path, nil, nil, &words, environ)
        guard code == 0 else { throw CancellationError() }
        defer {
            kill(pid, SIGCONT)
            kill(pid, SIGTERM)
            waitpid(pid, nil, 0)
        }
        try await eventually("the launcher listens") {
            guard waitpid(pid, nil, WNOHANG) == 0 else { throw CancellationError() }
            return access(socket, F_OK) == 0
        }
        return try await body(DetachedLauncher(socket: socket, pid: pid))
    }
}
