/// What a job gets that does not ask: `defaults` in the coordinator's configuration. Every key may be left out.
public struct PoolDefaults: Hashable, Sendable, Codable {
    public var image = "host"
    public var cpus: Double = 1
    public var memoryBytes: Int64 = 1 << 30
    public var diskBytes: Int64 = 512 << 20
    public var pids: Int = 1_024
    public var outputBytes: Int64 = 1 << 30
    public var timeoutSeconds: Double = 300
    public var graceSeconds: Double = 10

    enum CodingKeys: String, CodingKey, CaseIterable {
        case image, cpus, memoryBytes, diskBytes, pids, outputBytes, timeoutSeconds, graceSeconds
    }

    public init() {}

    public init(from decoder: any Decoder) throws {
        let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
        image = try values.decodeIfPresent(String.self, forKey: .image) ?? image
        cpus = try values.decodeIfPresent(Double.self, forKey: .cpus) ?? cpus
        memoryBytes = try values.decodeIfPresent(Int64.self, forKey: .memoryBytes) ?? memoryBytes
        diskBytes = try values.decodeIfPresent(Int64.self, forKey: .diskBytes) ?? diskBytes
        pids = try values.decodeIfPresent(Int.self, forKey: .pids) ?? pids
        outputBytes = try values.decodeIfPresent(Int64.self, forKey: .outputBytes) ?? outputBytes
        timeoutSeconds = try values.decodeIfPresent(Double.self, forKey: .timeoutSeconds) ?? timeoutSeconds
        graceSeconds = try values.decodeIfPresent(Double.self, forKey: .graceSeconds) ?? graceSeconds
    }
}

extension JobSpec {
    /// The spec with every default of the pool filled in.
    ///
    /// A disk that was not asked for is at most half the memory: it is counted in it, and a job that only asked
    /// for little memory must not be refused because of a disk that it never mentioned.
    public func filled(with defaults: PoolDefaults) -> JobSpec {
        var spec = self
        let memory = resources.memoryBytes ?? defaults.memoryBytes
        spec.image = image ?? defaults.image
        spec.resources.cpus = resources.cpus ?? defaults.cpus
        spec.resources.memoryBytes = memory
        spec.resources.diskBytes = resources.diskBytes ?? min(defaults.diskBytes, memory / 2)
        spec.resources.pids = resources.pids ?? defaults.pids
        spec.resources.outputBytes = resources.outputBytes ?? defaults.outputBytes
        spec.timeoutSeconds = timeoutSeconds ?? defaults.timeoutSeconds
        spec.graceSeconds = graceSeconds ?? defaults.graceSeconds
        return spec
    }
}
