import LinuxSystem

/// What the spooler keeps of a command whose output it takes: a sandbox's main one or a further one.
final class SpooledCommand {
    let id: String
    let token: UInt64
    let streams: [SpoolStream]
    var open: [Bool]
    /// Whether a stream is looked at again in a moment.
    var waiting = [false, false]
    /// Whether a stream waits for its reader.
    var behind = [false, false]
    var stalledSince: UInt64?
    var stalledMs: UInt64 = 0
    var finishing = false
    /// There was no room for the last of it: on the disk, or in a ring whose reader is behind.
    var isCut = false
    var hasToldLimit = false
    var isMuted = false
    var told: [UInt64] = [0, 0]
    let sandbox: SpooledSandbox

    init(token: UInt64, id: String, streams: [SpoolStream], of sandbox: SpooledSandbox) {
        self.token = token
        self.id = id
        self.streams = streams
        self.sandbox = sandbox
        open = streams.map { _ in true }
    }

    func countStall() {
        if let since = stalledSince { stalledMs += BoottimeClock.milliseconds() - since }
        stalledSince = nil
    }
}

/// What all commands of one sandbox share.
final class SpooledSandbox {
    /// That of the main command.
    let token: UInt64
    var pace: OutputPace
    var commands = 0

    init(token: UInt64, cpuMillis: UInt32) {
        self.token = token
        pace = OutputPace(cpuMillis: cpuMillis)
    }
}
