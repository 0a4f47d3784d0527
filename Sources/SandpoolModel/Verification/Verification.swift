/// What a worker found when it attacked its own sandboxes.
public struct Verification: Codable, Hashable, Sendable {
    /// One sandbox full of attacks, or several with one each.
    public struct Run: Codable, Hashable, Sendable {
        /// The user id inside.
        public var user: Int
        /// `blocked` or `open`.
        public var network: String
        public var findings: [ProbeFinding]
        /// Why there are none, or not all.
        public var failure: String?

        public init(user: Int, network: String, findings: [ProbeFinding], failure: String? = nil) {
            self.user = user
            self.network = network
            self.findings = findings
            self.failure = failure
        }
    }

    public var at: Timestamp
    /// `/proc/sys/kernel/random/boot_id` and uname(2)'s release: another kernel is another wall.
    public var bootID: String
    public var kernel: String
    public var softwareVersion: String
    /// Names the programs that made and attacked the sandboxes.
    public var programs: String
    public var runs: [Run]
    /// Why nothing could be found out.
    public var failure: String?

    public init(
        at: Timestamp, bootID: String, kernel: String, softwareVersion: String, programs: String, runs: [Run] = [],
        failure: String? = nil
    ) {
        self.at = at
        self.bootID = bootID
        self.kernel = kernel
        self.softwareVersion = softwareVersion
        self.programs = programs
        self.runs = runs
        self.failure = failure
    }

    public var summary: VerificationSummary {
        let findings = runs.flatMap(\.findings)
        var through: [String] = []
        for finding in findings where finding.result == .through && !through.contains(finding.probe) {
            through.append(finding.probe)
        }
        return VerificationSummary(
            at: at, kernel: kernel, held: findings.count { $0.result == .held },
            notRun: findings.count { $0.result == .notRun }, through: through,
            failure: failure ?? runs.lazy.compactMap(\.failure).first)
    }
}

/// A verification in a few words, as it goes to the coordinator.
public struct VerificationSummary: Codable, Hashable, Sendable {
    public var at: Timestamp
    public var kernel: String
    /// Attacks, counted once for each user and network that they were tried with.
    public var held: Int
    public var notRun: Int
    /// Names of the probes that got through.
    public var through: [String]
    /// Why nothing, or not all, could be found out.
    public var failure: String?

    public init(
        at: Timestamp, kernel: String, held: Int, notRun: Int, through: [String] = [], failure: String? = nil
    ) {
        self.at = at
        self.kernel = kernel
        self.held = held
        self.notRun = notRun
        self.through = through
        self.failure = failure
    }

    /// Whether jobs may be trusted to these sandboxes. One that could not be attacked has proved nothing.
    public var isTrusted: Bool { through.isEmpty && failure == nil && held > 0 }

    /// One line for people.
    public var text: String {
        if !through.isEmpty { return "its sandbox does not hold: \(through.joined(separator: ", ")) got through" }
        if let failure { return "its sandbox could not be verified: \(failure)" }
        return "\(held) attacks held, \(notRun) not run"
    }
}
