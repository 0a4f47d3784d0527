import Glibc
import LinuxSystem
import Logging
import SandpoolSandbox

/// Gets the worker a launcher, and another connection when one is lost.
struct LauncherSupervisor: Sendable {
    let source: WorkerConfiguration.LauncherSource
    /// The worker's `--data-dir`.
    let base: String
    let log: Logger

    /// A launcher that a worker's crash left alone ends after this long without sandboxes.
    private static let idleSeconds = 60
    /// Tries to be let in, over about three seconds.
    private static let greetTries = 6
    private static let startTimeout = Duration.seconds(10)

    private var spawnedSocket: String { "\(base)/launcher.sock" }

    /// Where the worker's own files are: below a root-owned directory when the launcher's are beside them, so
    /// that the worker cannot put something else in their place.
    var stateDirectory: String {
        if case .spawned = source { return "\(base)/worker" }
        return base
    }

    /// The first connection. May start the launcher, and then gives up root.
    func start() async throws -> SeqPacketSocket {
        switch source {
        case .socket(let path):
            return try Self.connect(path)
        case .embedded:
            try WorkerDirectory.makePath(base)
            var scope: UserDelegation.Scope?
            if geteuid() != 0, case .given(let found) = UserDelegation.find() { scope = found }
            return try LauncherProgram.find().startEmbedded(dataDirectory: "\(base)/launcher", in: scope).socket
        case .spawned(let user):
            return try await startOwn(user)
        }
    }

    private func startOwn(_ name: String?) async throws -> SeqPacketSocket {
        guard geteuid() == 0 else {
            return try Self.connect(
                spawnedSocket, hint: "run as root once, or name a running launcher's --launcher-socket")
        }
        let user = try UnprivilegedUser.find(name)
        try WorkerDirectory.makePath(base)
        // Others may pass through to the socket and to the worker's own directory, and list nothing.
        try systemCall("chmod \(base)") { chmod(base, 0o711) }
        try WorkerDirectory.makePath(stateDirectory)
        let state = try FileDescriptor.open(stateDirectory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        try systemCall("chown \(stateDirectory)") { fchown(state.raw, user.user, user.group) }
        let socket = try await connectOrStart(user)
        try user.become()
        return socket
    }

    private func connectOrStart(_ user: UnprivilegedUser) async throws -> SeqPacketSocket {
        if let socket = try? SeqPacketSocket.connect(path: spawnedSocket) { return socket }
        let program = try LauncherProgram.find()
        let logFile = "\(base)/launcher.log"
        let pid = try program.startDetached(
            arguments: [
                "--data-dir", "\(base)/launcher", "--socket", spawnedSocket, "--peer-uid", "\(user.user)",
                "--exit-when-idle", "\(Self.idleSeconds)",
            ], log: logFile)
        log.info("started the launcher", metadata: ["pid": "\(pid)", "log": "\(logFile)"])
        let clock = ContinuousClock()
        let deadline = clock.now + Self.startTimeout
        while clock.now < deadline {
            if let socket = try? SeqPacketSocket.connect(path: spawnedSocket) { return socket }
            guard waitpid(pid, nil, WNOHANG) == 0 else {
                throw WorkerError("the launcher ended at once; see \(logFile)")
            }
            try await Task.sleep(for: .milliseconds(5))
        }
        throw WorkerError("the launcher does not listen on \(spawnedSocket); see \(logFile)")
    }

    /// Greets the launcher. One that has not noticed yet that the worker before this one is gone refuses another,
    /// so it is asked again.
    ///
    /// - Returns: the layers that it has.
    func greet(_ core: WorkerCore, over socket: SeqPacketSocket) async throws -> [String] {
        var backoff = Backoff()
        var socket = socket
        while true {
            do {
                return try await core.connect(to: socket)
            } catch {
                guard let path, backoff.losses < Self.greetTries else { throw error }
                try await Task.sleep(for: backoff.next())
                socket = try Self.connect(path)
            }
        }
    }

    /// The launcher's socket, where it has a name.
    private var path: String? {
        switch source {
        case .socket(let path): path
        case .spawned: spawnedSocket
        case .embedded: nil
        }
    }

    /// Watches the connection and makes another one when it is lost: sandboxes outlive it.
    ///
    /// - Parameter onReturn: called with each new connection in place.
    /// - Throws: `WorkerError` when there is no launcher to be had.
    func keepConnected(_ core: WorkerCore, onReturn: () async -> Void) async throws {
        while !Task.isCancelled {
            let reason = await core.launcherClosed()
            if Task.isCancelled { return }
            log.warning("\(reason)")
            guard let path else {
                await core.loseSandboxes()
                throw WorkerError(reason)
            }
            try await reconnect(core, path, after: reason)
            await onReturn()
        }
    }

    private func reconnect(_ core: WorkerCore, _ path: String, after reason: String) async throws {
        var backoff = Backoff()
        // About a minute: what a service manager needs to bring it back, several times over.
        while backoff.losses < 12 {
            try await Task.sleep(for: backoff.next())
            guard let socket = try? SeqPacketSocket.connect(path: path) else { continue }
            do {
                _ = try await core.connect(to: socket)
                log.info("connected to the launcher again")
                return
            } catch {
                log.warning("\(error)")
            }
        }
        await core.loseSandboxes()
        throw WorkerError("\(reason); start it and this worker again")
    }

    private static func connect(_ path: String, hint: String = "is sandpool-launcher running?") throws
        -> SeqPacketSocket
    {
        do throws(SystemError) {
            return try SeqPacketSocket.connect(path: path)
        } catch {
            throw WorkerError("no launcher at \(path): \(String(cString: strerror(error.code))); \(hint)")
        }
    }
}
