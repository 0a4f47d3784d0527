/// What the probe program is told of the world around its sandbox: bait that whoever runs it has laid out, and the
/// sandbox's limits. Without bait the probes that need it are not run.
public struct Surroundings: Equatable, Sendable {
    public var isNetworkOpen = false
    /// An abstract Unix socket (unix(7)) that listens in the host's net namespace.
    public var hostSocket: String?
    /// TCP endpoints that answer, and that a sandbox must not reach.
    public var endpoints: [Endpoint] = []
    /// The pid of the sandbox's first process as this process sees it.
    public var firstPID: Int32 = 1
    /// A setuid-root program that exits with its effective user id.
    public var setUIDProgram: String?
    /// The limits of the sandbox; exhaustion stops a quarter above them.
    public var pids = 64
    public var memoryBytes = 64 << 20
    public var diskBytes = 16 << 20
    /// Open files of one process.
    public var files = 524_288

    public struct Endpoint: Equatable, Sendable {
        /// IPv4, in host byte order.
        public var address: UInt32
        public var port: UInt16

        public init(address: UInt32, port: UInt16) {
            self.address = address
            self.port = port
        }

        /// `A.B.C.D:PORT`.
        public init?(_ text: String) {
            let parts = text.split(separator: ":")
            guard parts.count == 2, let port = UInt16(parts[1]) else { return nil }
            let bytes = parts[0].split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
            guard bytes.count == 4, bytes.allSatisfy({ $0 != nil }) else { return nil }
            address = bytes.reduce(0) { $0 << 8 | UInt32($1 ?? 0) }
            self.port = port
        }

        var description: String {
            let bytes = [24, 16, 8, 0].map { "\(address >> UInt32($0) & 0xff)" }
            return bytes.joined(separator: ".") + ":\(port)"
        }
    }

    public init() {}

    /// The options that say this to the probe program.
    public var arguments: [String] {
        var words = ["--network", isNetworkOpen ? "open" : "blocked"]
        if let hostSocket { words += ["--host-socket", hostSocket] }
        for endpoint in endpoints { words += ["--endpoint", endpoint.description] }
        if let setUIDProgram { words += ["--setuid-program", setUIDProgram] }
        if firstPID != 1 { words += ["--first-pid", "\(firstPID)"] }
        return words + [
            "--pids", "\(pids)", "--memory", "\(memoryBytes)", "--disk", "\(diskBytes)",
            "--files", "\(files)",
        ]
    }

    /// Takes one option; false for one that is not known or has no such value.
    mutating func take(_ option: String, _ value: String) -> Bool {
        func number(_ key: WritableKeyPath<Surroundings, Int>) -> Bool {
            guard let number = Int(value), number > 0, number <= 1 << 40 else { return false }
            self[keyPath: key] = number
            return true
        }
        switch option {
        case "--network":
            isNetworkOpen = value == "open"
            return value == "open" || value == "blocked"
        case "--host-socket": hostSocket = value
        case "--endpoint":
            guard let endpoint = Endpoint(value) else { return false }
            endpoints.append(endpoint)
        case "--setuid-program": setUIDProgram = value
        case "--first-pid":
            guard let pid = Int32(value), pid > 0 else { return false }
            firstPID = pid
        case "--pids": return number(\.pids)
        case "--memory": return number(\.memoryBytes)
        case "--disk": return number(\.diskBytes)
        case "--files": return number(\.files)
        default: return false
        }
        return true
    }
}
