import Glibc
import LinuxSystem
import SandpoolAPI
import SandpoolModel

/// Standard input: frames into the command's pipe, without ever waiting for the command.
extension WorkerCore {
    func handle(_ frame: InputFrame, session number: Int) {
        guard number == session.number, let id = AttemptID(frame.id), let attempt = attempts[id],
            attempt.lease.epoch == frame.epoch
        else { return }
        var queue = attempt.input ?? InputQueue()
        let isRepetition = frame.offset < queue.received
        do throws(InputQueue.Refusal) {
            try queue.add(frame)
            attempts[id]?.input = queue
        } catch {
            // The sender broke its window; the command sees its input end instead of a gap in it.
            log.warning("\(id): standard input is cut off: \(error)")
            return closeInput(of: id)
        }
        writeInput(of: id)
        // A coordinator that was restarted sends again what it was not told about.
        if isRepetition {
            outbox.noteConsumed(attempt.lease, offset: attempts[id]?.input?.consumed ?? queue.consumed)
            wakeWriter()
        }
    }

    /// Writes what the pipe takes, and waits for room with the loop if something is left.
    func writeInput(of id: AttemptID) {
        guard let attempt = attempts[id], var queue = attempt.input, let pipe = attempt.inputPipe else { return }
        let before = queue.consumed
        var isBroken = false
        queue.drain { bytes in
            while true {
                let count = write(pipe.raw, bytes.baseAddress, bytes.count)
                if count >= 0 { return count }
                if errno == EINTR { continue }
                isBroken = errno != EAGAIN
                return 0
            }
        }
        // A command that closed its input wants none: not an error, but nobody should wait for it.
        if isBroken { queue.discardAll() }
        attempts[id]?.input = queue
        if queue.consumed != before {
            outbox.noteConsumed(attempt.lease, offset: queue.consumed)
            wakeWriter()
        }
        if queue.isFinished || isBroken {
            closeInput(of: id)
        } else if queue.hasWaiting != attempt.isInputWatched {
            watchInput(of: id, queue.hasWaiting)
        }
    }

    private func watchInput(of id: AttemptID, _ isNeeded: Bool) {
        guard let pipe = attempts[id]?.inputPipe else { return }
        attempts[id]?.isInputWatched = isNeeded
        guard isNeeded else { return thread.events.forget(pipe) }
        do {
            try thread.events.watch(pipe, .writable) { self.writeInput(of: id) }
        } catch {
            log.warning("standard input of \(id): \(error)")
            closeInput(of: id)
        }
    }

    /// Closes this side's copy and lets the launcher close its own: the command sees the end of its input.
    func closeInput(of id: AttemptID) {
        guard let pipe = attempts[id]?.inputPipe else { return }
        if attempts[id]?.isInputWatched == true { thread.events.forget(pipe) }
        attempts[id]?.inputPipe = nil
        attempts[id]?.isInputWatched = false
        if attempts[id]?.machine.isActive == true { launcher?.send(.closeInput(id: id.text)) }
    }
}
