/// The most that one job of a pool may ask for: `limits` in the coordinator's configuration. Every key may be
/// left out.
public struct PoolLimits: Hashable, Sendable, Codable {
    public var cpus: Double = 1_024
    public var memoryBytes: Int64 = 16 << 40
    public var diskBytes: Int64 = 16 << 40
    /// Default: the most that a kernel can count (PID_MAX_LIMIT).
    public var pids: Int = 4 << 20
    public var outputBytes: Int64 = 1 << 40
    public var timeoutSeconds: Double = 7 * 86_400
    public var graceSeconds: Double = 3_600
    /// Images that may be asked for, as they are written in a spec. `nil`: every image.
    public var images: [String]?
    /// Whether a job may have a network at all.
    public var allowsNetwork = true

    enum CodingKeys: String, CodingKey, CaseIterable {
        case cpus, memoryBytes, diskBytes, pids, outputBytes, timeoutSeconds, graceSeconds, images, allowsNetwork
    }

    public init() {}

    public init(from decoder: any Decoder) throws {
        let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
        cpus = try values.decodeIfPresent(Double.self, forKey: .cpus) ?? cpus
        memoryBytes = try values.decodeIfPresent(Int64.self, forKey: .memoryBytes) ?? memoryBytes
        diskBytes = try values.decodeIfPresent(Int64.self, forKey: .diskBytes) ?? diskBytes
        pids = try values.decodeIfPresent(Int.self, forKey: .pids) ?? pids
        outputBytes = try values.decodeIfPresent(Int64.self, forKey: .outputBytes) ?? outputBytes
        timeoutSeconds = try values.decodeIfPresent(Double.self, forKey: .timeoutSeconds) ?? timeoutSeconds
        graceSeconds = try values.decodeIfPresent(Double.self, forKey: .graceSeconds) ?? graceSeconds
        images = try values.decodeIfPresent([String].self, forKey: .images)
        allowsNetwork = try values.decodeIfPresent(Bool.self, forKey: .allowsNetwork) ?? allowsNetwork
    }
}
