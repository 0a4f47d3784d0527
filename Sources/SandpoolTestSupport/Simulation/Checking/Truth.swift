import SandpoolAPI
import SandpoolModel
import SandpoolSandbox
import SandpoolStore

/// What really happened, kept by the world itself: what the code under test says is held against it.
struct Truth {
    struct Attempt {
        let lease: LeaseKey
        let job: Int
        let host: Int
        var execution: Int?
        /// How it ended in the store.
        var end: End?
        /// An operator said that its worker is dead.
        var isForgotten = false
        /// Most bytes of each stream that its worker was told are durable.
        var acknowledged: [OutputStreamCode: Int64] = [:]

        enum End { case finished, returned, lost, superseded }
    }

    /// A command that was executed.
    struct Execution {
        let attempt: AttemptID
        let job: Int
        let host: Int
        let startedAt: Int64
        var endedAt: Int64?
        /// `nil` for one that went down with its launcher.
        var report: ExitReport?
    }

    struct Job {
        var attempts: [AttemptID] = []
        var executions: [Int] = []
        /// The store has noted that its user does not want it.
        var isCancelled = false
        /// Its last state in the store.
        var final: JobState?
    }

    var attempts: [AttemptID: Attempt] = [:]
    var executions: [Execution] = []
    /// Attempts whose spools went down with their launcher or host before their end was recorded.
    var lostSpools: Set<AttemptID> = []
    var jobs = [Job](repeating: Job(), count: Scenario.jobs)

    /// What a command writes: bytes that follow from where they stand.
    static func bytes(of attempt: AttemptID, _ stream: OutputStreamCode, _ range: Range<Int64>) -> [UInt8] {
        var salt: UInt64 = UInt64(stream.rawValue)
        for byte in attempt.text.utf8.suffix(8) { salt = salt &* 31 &+ UInt64(byte) }
        return range.map { UInt8(truncatingIfNeeded: (UInt64(bitPattern: $0) &+ salt) &* 0x9E37_79B9 >> 24) }
    }
}
