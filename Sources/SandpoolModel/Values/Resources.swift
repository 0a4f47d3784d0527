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

    public static func + (left: Self, right: Self) -> Self {
        Resources(
            cpuMillis: left.cpuMillis + right.cpuMillis, memoryBytes: left.memoryBytes + right.memoryBytes,
            diskBytes: left.diskBytes + right.diskBytes)
    }

    public static func - (left: Self, right: Self) -> Self {
        Resources(
            cpuMillis: left.cpuMillis - right.cpuMillis, memoryBytes: left.memoryBytes - right.memoryBytes,
            diskBytes: left.diskBytes - right.diskBytes)
    }
}
