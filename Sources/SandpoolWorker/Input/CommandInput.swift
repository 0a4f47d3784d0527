import LinuxSystem
import SandpoolAPI

/// Standard input of one command: what waits for its pipe, and the pipe.
struct CommandInput {
    private(set) var queue = InputQueue()
    var pipe: FileDescriptor?
    private var file: InputFile?
    /// Whether the loop tells when the pipe has room.
    var isWatched = false

    init() {}

    /// Gives it the command's pipe, also again where the launcher was away. Of an adopted command the file knows how
    /// far the worker before this one came.
    mutating func attach(_ descriptors: CommandDescriptors.Input?) {
        guard let descriptors else { return }
        let file = descriptors.file
        if file.end > queue.received { queue = InputQueue(received: file.end, consumed: file.taken) }
        self.file = file
        pipe = descriptors.pipe
    }

    mutating func add(_ frame: InputFrame) throws(InputQueue.Refusal) { try queue.add(frame) }

    /// Writes what the pipe takes, without waiting.
    ///
    /// - Returns: whether the command wants no more, because it has everything or reads no longer.
    mutating func write() -> Bool {
        guard let pipe, var file else { return false }
        let fresh = queue.takeWaiting()
        var isBroken = fresh.readableBytes > 0 && (try? file.append(fresh)) == nil
        if !isBroken { isBroken = file.pass(to: pipe) == .broken }
        self.file = file
        queue.noteConsumed(to: file.taken)
        // A command that closed its input wants none: not an error, but nobody should wait for it.
        if isBroken { queue.discardAll() }
        return queue.isFinished || isBroken
    }
}
