import Glibc
import LinuxSystem

/// Standard input of one command: what waits for its pipe, and the pipe.
struct CommandInput {
    var queue = InputQueue()
    var pipe: FileDescriptor?
    /// Whether the loop tells when the pipe has room.
    var isWatched = false

    /// Writes what the pipe takes, without waiting.
    ///
    /// - Returns: whether the command wants no more, because it has everything or reads no longer.
    mutating func write() -> Bool {
        guard let pipe else { return false }
        var isBroken = false
        queue.drain { bytes in
            while true {
                let count = Glibc.write(pipe.raw, bytes.baseAddress, bytes.count)
                if count >= 0 { return count }
                if errno == EINTR { continue }
                isBroken = errno != EAGAIN
                return 0
            }
        }
        // A command that closed its input wants none: not an error, but nobody should wait for it.
        if isBroken { queue.discardAll() }
        return queue.isFinished || isBroken
    }
}
