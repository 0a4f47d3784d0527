/// A further command in the sandbox of a job that runs.
///
/// It shares the sandbox's files, limits and network. In JSON only `command` is required, and an unknown key is an
/// error.
public struct ExecSpec: Hashable, Sendable {
    /// The program and its arguments; never empty. A JSON string instead of an array runs through `/bin/sh -c`.
    public var command: [String]
    /// Variables beside those of the job, or in their place.
    public var environment: [String: String] = [:]
    /// Absolute path inside the sandbox. `nil`: the job's own.
    public var workingDirectory: String?
    /// A name that the sandbox's `/etc/passwd` knows, or a uid 0–65535. `nil`: the job's own.
    public var user: String?
    /// Seconds from its start to the SIGTERM. `nil`: as long as the job runs.
    public var timeoutSeconds: Double?
    /// Where standard input comes from.
    public var stdin: StandardInput = .none

    public init(command: [String]) { self.command = command }

    /// Checks every value by the rules that hold for a job's.
    ///
    /// - Throws: the first problem found.
    public func validate(limits: PoolLimits) throws(SpecProblem) {
        var job = JobSpec(command: command)
        job.environment = environment
        job.workingDirectory = workingDirectory
        job.user = user
        job.timeoutSeconds = timeoutSeconds
        // The network is the sandbox's, and was checked with it.
        job.network.block = true
        try job.validate(limits: limits)
    }

    /// With what it takes over from the job: what is left after this needs no default but a worker's.
    public func completed(from job: JobSpec) -> ExecSpec {
        var spec = self
        spec.environment = job.environment.merging(environment) { $1 }
        spec.workingDirectory = workingDirectory ?? job.workingDirectory
        spec.user = user ?? job.user
        return spec
    }
}

extension ExecSpec: Codable {
    enum CodingKeys: String, CodingKey, CaseIterable {
        case command, environment, workdir, user, timeoutSeconds, stdin
    }

    /// - Throws: `SpecProblem` for an unknown key, `DecodingError` for a value of the wrong type.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
        self.init(command: try values.decodeCommand(forKey: .command))
        environment = try values.decodeIfPresent([String: String].self, forKey: .environment) ?? environment
        workingDirectory = try values.decodeIfPresent(String.self, forKey: .workdir)
        user = try values.decodeIfPresent(String.self, forKey: .user)
        timeoutSeconds = try values.decodeIfPresent(Double.self, forKey: .timeoutSeconds)
        stdin = try values.decodeIfPresent(StandardInput.self, forKey: .stdin) ?? stdin
    }

    /// Writes `command` and whatever is not at its default.
    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(command, forKey: .command)
        if !environment.isEmpty { try values.encode(environment, forKey: .environment) }
        try values.encodeIfPresent(workingDirectory, forKey: .workdir)
        try values.encodeIfPresent(user, forKey: .user)
        try values.encodeIfPresent(timeoutSeconds, forKey: .timeoutSeconds)
        if stdin != .none { try values.encode(stdin, forKey: .stdin) }
    }
}
