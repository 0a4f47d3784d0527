/// What one sandbox may use, or what a worker has to give.
public struct Resources: Hashable, Sendable, Codable {
    /// Thousandths of a processor: 1,000 is one whole CPU.
    public var cpuMillis: Int64
    /// Bytes of memory, page cache and the tmpfs writable layer included.
    public var memoryBytes: Int64
    /// Bytes of the writable layer.
    public var diskBytes: Int64

    public init(cpuMillis: Int64, memoryBytes: Int64, diskBytes: Int64) {
        self.cpuMillis = cpuMillis
        self.memoryBytes = memoryBytes
        self.diskBytes = diskBytes
    }

    public static let zero = Resources(cpuMillis: 0, memoryBytes: 0, diskBytes: 0)

    /// Whether `request` fits into this.
    public func fits(_ request: Resources) -> Bool {
        request.cpuMillis <= cpuMillis && request.memoryBytes <= memoryBytes && request.diskBytes <= diskBytes
    }

    /// Whether a writable layer of this size takes a disk of its own: one in memory has to be smaller than the memory.
    public var takesDisk: Bool { diskBytes >= memoryBytes }

    /// Sums and differences stay at the ends of the range of 64 bits: a worker states its capacity itself, and no
    /// number that it sends may stop the coordinator.
    public static func + (left: Self, right: Self) -> Self {
        Resources(
            cpuMillis: left.cpuMillis.addingSaturated(right.cpuMillis),
            memoryBytes: left.memoryBytes.addingSaturated(right.memoryBytes),
            diskBytes: left.diskBytes.addingSaturated(right.diskBytes))
    }

    public static func - (left: Self, right: Self) -> Self {
        Resources(
            cpuMillis: left.cpuMillis.subtractingSaturated(right.cpuMillis),
            memoryBytes: left.memoryBytes.subtractingSaturated(right.memoryBytes),
            diskBytes: left.diskBytes.subtractingSaturated(right.diskBytes))
    }
}

extension Int64 {
    func addingSaturated(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other < 0 ? .min : .max) : sum
    }

    func subtractingSaturated(_ other: Int64) -> Int64 {
        let (difference, overflow) = subtractingReportingOverflow(other)
        return overflow ? (other < 0 ? .max : .min) : difference
    }
}
