import SandpoolModel
import SandpoolSandbox

/// A launcher and its sandboxes, as the worker gets to know them (`LauncherService`).
struct SimulatedLauncher {
    /// Which start of it runs; 0: none does.
    var start = 0
    var sandboxes: [AttemptID: SimulatedSandbox] = [:]
    /// The connection of the worker that it talks to, by the worker's start and its number.
    var worker: (start: Int, connection: Int)?

    var isUp: Bool { start != 0 }
}

struct SimulatedSandbox {
    enum Phase {
        case starting
        case running
        case ended(ExitReport)
        /// The failure was told to nobody yet.
        case failed(SandboxFailure)
    }

    let job: Int
    var phase = Phase.starting
    /// CLOCK_BOOTTIME of its start, in milliseconds.
    var startedMs: UInt64 = 0
    var stdout: Int64 = 0
    var stderr: Int64 = 0
    var isCancelled = false
    /// Its place among all commands that were ever executed.
    var execution: Int?
}
