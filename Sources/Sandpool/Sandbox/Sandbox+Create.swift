import SandpoolModel

extension Sandbox {
    /// Makes a sandbox and starts a command in it.
    ///
    /// - Parameters:
    ///   - command: one string runs through `/bin/sh -c`; several are a program and its arguments.
    ///   - image: `host`, `mmdebstrap:SUITE`, `scratch` or an `im-…` id; `nil` is the pool's default.
    ///   - mounts: local files and directories, each with its absolute path in the sandbox. What the command
    ///     changes there is discarded.
    ///   - downloads: absolute paths in the sandbox that are kept for `download`.
    ///   - timeout: time from the command's start to its SIGTERM; `nil` is the pool's default, 300 s.
    ///   - onOutputLimit: what happens when stdout or stderr has more than `resources.outputBytes`.
    ///   - blockNetwork: whether there is no network but the sandbox's own loopback. `nil` is open where the host can
    ///     open one; `false` is refused where it cannot.
    ///   - stdin: whether `stdin` is streamed; otherwise the command reads from `/dev/null`.
    ///   - pool: `nil` is the pool that the environment names.
    /// - Throws: `SandpoolError`, before anything runs.
    public static func create(
        _ command: String...,
        image: String? = nil,
        mounts: [String: String] = [:],
        downloads: [String] = [],
        environment: [String: String] = [:],
        workingDirectory: String? = nil,
        user: String? = nil,
        resources: ResourceRequest = ResourceRequest(),
        timeout: Duration? = nil,
        onOutputLimit: OutputLimitPolicy = .truncate,
        blockNetwork: Bool? = nil,
        stdin: Bool = false,
        name: String? = nil,
        tags: [String: String] = [:],
        in pool: Pool? = nil
    ) async throws -> Sandbox {
        let pool = try pool ?? Pool.fromEnvironment()
        var spec = JobSpec(command: arguments(command))
        spec.image = image
        spec.downloads = downloads
        spec.environment = environment
        spec.workingDirectory = workingDirectory
        spec.user = user
        spec.resources = resources
        spec.timeoutSeconds = timeout.map { Double($0.wholeMilliseconds) / 1_000 }
        spec.onOutputLimit = onOutputLimit
        spec.network.block = blockNetwork
        spec.stdin = stdin ? .stream : .none
        spec.name = name
        spec.tags = tags
        for (local, remote) in mounts.sorted(by: { $0.value < $1.value }) {
            spec.mounts.append(try await pool.upload(local, to: remote))
        }
        return try await create(spec, in: pool)
    }

    /// One string runs through the shell; several are a program and its arguments.
    static func arguments(_ command: [String]) -> [String] {
        command.count == 1 ? ["/bin/sh", "-c"] + command : command
    }

    /// Makes a sandbox from a whole spec.
    public static func create(_ spec: JobSpec, in pool: Pool) async throws -> Sandbox {
        Sandbox(try await pool.submit(spec), in: pool)
    }

    /// Fetches a path that was among the `downloads`, once the command has ended, also after a failure.
    public func download(_ remote: String, to local: String) async throws {
        try await pool.download(from: id.text, [(remote, local)])
    }
}
