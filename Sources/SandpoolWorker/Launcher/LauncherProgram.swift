import Glibc
import LinuxSystem
import SandpoolSandbox

/// Finds and starts `sandpool-launcher`, and finds what else is installed beside it.
public struct LauncherProgram: Sendable {
    public let path: String

    private static let environment = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]

    /// Looks beside the running program, in `../libexec/sandpool` of it, and in `PATH`.
    public static func find(_ name: String = "sandpool-launcher") throws -> LauncherProgram {
        let own = executableDirectory()
        let searched = (getenv("PATH").map { String(cString: $0) } ?? "/usr/sbin:/usr/bin:/sbin:/bin").split(
            separator: ":")
        let folders = [own, "\(own)/../libexec/sandpool"] + searched.map(String.init)
        for folder in folders where folder.hasPrefix("/") {
            let path = "\(folder)/\(name)"
            if access(path, X_OK) == 0 { return LauncherProgram(path: path) }
        }
        throw WorkerError("\(name) is not in \(own), ../libexec/sandpool or PATH; install it beside sandpool")
    }

    /// Starts the launcher in a session of its own; it outlives this process.
    ///
    /// - Parameter log: path of the file that takes what it has to say.
    func startDetached(arguments: [String], log: String) throws -> pid_t {
        let file = try FileDescriptor.open(log, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, mode: 0o600)
        return try ProcessSpawn.start(
            [path] + arguments, environment: Self.environment, descriptors: [(file.raw, 1), (file.raw, 2)])
    }

    /// Starts the launcher as a child that serves one socket and ends with it.
    ///
    /// - Parameter scope: where it gets cgroups that it may divide, for an ordinary user.
    func startEmbedded(
        dataDirectory: String, in scope: UserDelegation.Scope? = nil
    ) throws -> (socket: SeqPacketSocket, pid: pid_t) {
        let (own, theirs) = try SeqPacketSocket.pair()
        let pid = try ProcessSpawn.start(
            (scope?.words ?? []) + [path, "--data-dir", dataDirectory, "--connected-fd", "3"],
            environment: Self.environment + (scope?.environment ?? []),
            descriptors: [(theirs.descriptor.raw, 3)])
        return (own, pid)
    }

    /// Whether the launcher of this user can become the root of a user namespace of his own: it tries.
    public static var makesUserNamespace: Bool {
        guard let program = try? find(),
            let pid = try? ProcessSpawn.start(
                [program.path, "--try-namespace"], environment: environment, descriptors: [])
        else { return false }
        var status: Int32 = -1
        return waitpid(pid, &status, 0) == pid && status == 0
    }

    /// Why ordinary users' sandboxes cannot be limited on this host.
    public static var lackOfLimits: String? { UserDelegation.lack }

    /// What ordinary users' sandboxes lack on this host to have a network, as far as it shows without a try.
    public static var lackOfNetwork: Pasta.Lack? { Pasta.missing }

    /// Why the launcher of this user can open no network: it tries. Nil: it can.
    public static func networkTrial() -> String? {
        do {
            let said = try Pipe()
            let pid = try ProcessSpawn.start(
                [find().path, "--try-network"], environment: environment, descriptors: [(said.writeEnd.raw, 1)])
            return try answer(of: pid, said)
        } catch { return "\(error)" }
    }

    /// Its one line, where it did not end with 0. The line fits the pipe.
    private static func answer(of pid: pid_t, _ said: Pipe) throws -> String? {
        var status: Int32 = -1
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        guard status != 0 else { return nil }
        try said.readEnd.setNonBlocking()
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = max(0, read(said.readEnd.raw, &buffer, buffer.count))
        let line = String(decoding: buffer[..<count].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        return line.isEmpty ? "\(try find().path) ended with status \(status)" : line
    }

    private static func executableDirectory() -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        guard count > 0 else { return "/usr/local/bin" }
        let path = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "/"
    }
}
