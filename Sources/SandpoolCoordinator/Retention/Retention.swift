import SandpoolModel

/// How long finished jobs are kept: `retention` of the configuration file. A job goes with its output and its
/// idempotency key, and never before it has ended.
public struct Retention: Hashable, Sendable, Decodable {
    /// Seconds from a job's end; `nil` for ever.
    public var ageSeconds: Double? = 30 * 86_400
    /// Most bytes of the output and the downloads of finished jobs; those that ended first go. `nil` for any size.
    public var bytes: Int64?
    /// However much there is, what ended so lately stays: who waits for a job finds its end, and who comes back with
    /// its key finds the job.
    var leastAge = Duration.seconds(3_600)

    private enum CodingKeys: String, CodingKey, CaseIterable { case ageSeconds, bytes }

    public init() {}

    public init(from decoder: any Decoder) throws {
        let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
        // null is a word of its own here: without a bound.
        if values.contains(.ageSeconds) { ageSeconds = try values.decode(Double?.self, forKey: .ageSeconds) }
        if values.contains(.bytes) { bytes = try values.decode(Int64?.self, forKey: .bytes) }
    }

    /// What is wrong with it, if anything.
    var problem: String? {
        let ages = Double(leastAge.wholeMilliseconds) / 1_000...3.2e9
        if let ageSeconds, !ages.contains(ageSeconds) {
            return "retention.ageSeconds: must be null, or from \(Int64(ages.lowerBound)) to \(Int64(ages.upperBound))"
        }
        if let bytes, bytes <= 0 { return "retention.bytes: must be null, or above 0" }
        return nil
    }
}
