/// What the host's own apt knows of the way to its mirrors.
struct HostAptConfiguration: Hashable, Sendable {
    /// Settings worth handing on, as apt.conf(5) lines.
    var options: [String] = []
    /// Sites of the host's sources by suite, as in `http://deb.debian.org/debian`.
    var sites: [String: String] = [:]

    /// Settings without which the mirrors may not be reachable or not be believed.
    private static let handedOn = [
        "Acquire::http::Proxy", "Acquire::https::Proxy", "Acquire::Check-Valid-Until", "Acquire::Check-Date",
    ]
    private static let standardSite = "http://deb.debian.org/debian"

    /// Asks apt-config(8) and apt-get(8); a host without apt gives nothing.
    static func read() -> HostAptConfiguration {
        let dump = ProgramOutput.read(["/usr/bin/apt-config", "dump"])
        let targets = ProgramOutput.read(
            ["/usr/bin/apt-get", "indextargets", "--format", "$(SITE) $(RELEASE)", "Created-By: Packages"])
        return HostAptConfiguration(configuration: dump ?? "", targets: targets ?? "")
    }

    init(configuration: String, targets: String) {
        options = configuration.split(separator: "\n").map(String.init).filter { line in
            Self.handedOn.contains { line.hasPrefix("\($0) \"") } && line.hasSuffix("\";") && !line.hasSuffix(" \"\";")
        }
        for line in targets.split(separator: "\n") {
            let fields = line.split(separator: " ").map(String.init)
            guard fields.count == 2, sites[fields[1]] == nil else { continue }
            sites[fields[1]] = fields[0].hasSuffix("/") ? String(fields[0].dropLast()) : fields[0]
        }
    }

    /// The host's own mirror of a suite, where it is not the one that mmdebstrap takes anyway, with updates and
    /// security beside it.
    func mirror(of suite: String) -> String? { sites[suite].flatMap { $0 == Self.standardSite ? nil : $0 } }
}
