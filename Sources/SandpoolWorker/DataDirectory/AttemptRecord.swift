import SandpoolAPI
import SandpoolModel

/// What has to be known about a started attempt to end it rightly after this worker process is gone.
package struct AttemptRecord: Codable, Hashable, Sendable {
    package var lease: AttemptLease
    var job: JobID
    /// The boot in which it was started: no sandbox survives a boot.
    var bootID: String
    /// The launcher that was to be asked for it, as it names itself; `nil` in a record of an older worker.
    var launcher: String?
    var memoryBytes: Int64?
    var diskBytes: Int64?
    var outputBytes: Int64?
    var timeoutSeconds: Double?
    var idleTimeoutSeconds: Double?
    var graceSeconds: Double?
    var hasDownloads: Bool
    var usesHostImage: Bool
    /// Whether another attempt may run in its place although this one may still run; `nil` in a record of an older
    /// worker, which did not look.
    var isRerunSafe: Bool?
    /// Layers that the sandbox uses.
    var layers: [String]

    package init(
        _ assignment: Assignment, bootID: String, launcher: String? = nil, usesHostImage: Bool, layers: [String]
    ) {
        lease = assignment.lease
        job = assignment.job
        self.bootID = bootID
        self.launcher = launcher
        memoryBytes = assignment.spec.resources.memoryBytes
        diskBytes = assignment.spec.resources.diskBytes
        outputBytes = assignment.spec.resources.outputBytes
        timeoutSeconds = assignment.spec.timeoutSeconds
        idleTimeoutSeconds = assignment.spec.idleTimeoutSeconds
        graceSeconds = assignment.spec.graceSeconds
        hasDownloads = !assignment.spec.downloads.isEmpty
        self.usesHostImage = usesHostImage
        isRerunSafe = assignment.spec.isRerunSafe
        self.layers = layers
    }
}
