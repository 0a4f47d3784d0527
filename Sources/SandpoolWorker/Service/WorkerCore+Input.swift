import LinuxSystem
import SandpoolAPI
import SandpoolModel

/// Standard input: frames into the command's pipe, without ever waiting for the command.
extension WorkerCore {
    /// Whose input it is.
    enum CommandID: Hashable, Sendable {
        case attempt(AttemptID)
        case exec(ExecID)

        var text: String {
            switch self {
            case .attempt(let id): id.text
            case .exec(let id): id.text
            }
        }
    }

    private subscript(input id: CommandID) -> CommandInput? {
        get {
            switch id {
            // It may come before the pipe that it is for.
            case .attempt(let id): files[id]?.input ?? (state.attempts[id] == nil ? nil : CommandInput())
            case .exec(let id): execs[id]?.input
            }
        }
        set {
            guard let newValue else { return }
            switch id {
            case .attempt(let id): files[id, default: AttemptFiles()].input = newValue
            case .exec(let id): execs[id]?.input = newValue
            }
        }
    }

    func handle(_ frame: InputFrame, session number: Int) {
        step(.heard(session: number))
        guard number == state.sessionNumber, let id = receiver(of: frame), var input = self[input: id] else { return }
        let isRepetition = frame.offset < input.queue.received
        do throws(InputQueue.Refusal) {
            try input.add(frame)
            self[input: id] = input
        } catch {
            // The sender broke its window; the command sees its input end instead of a gap in it.
            log.warning("\(id.text): standard input is cut off: \(error)")
            return closeInput(of: id)
        }
        writeInput(of: id)
        // A coordinator that was restarted sends again what it was not told about.
        if isRepetition { noteConsumed(by: id) }
    }

    private func receiver(of frame: InputFrame) -> CommandID? {
        if let id = AttemptID(frame.id), state.attempts[id]?.lease.epoch == frame.epoch { return .attempt(id) }
        if let id = ExecID(frame.id), execs[id]?.lease.epoch == frame.epoch { return .exec(id) }
        return nil
    }

    /// Writes what the pipe takes, and waits for room with the loop if something is left.
    func writeInput(of id: CommandID) {
        guard var input = self[input: id], input.pipe != nil else { return }
        let before = input.queue.consumed
        let isDone = input.write()
        self[input: id] = input
        if input.queue.consumed != before { noteConsumed(by: id) }
        if isDone {
            closeInput(of: id)
        } else if input.queue.hasWaiting != input.isWatched {
            watchInput(of: id, input.queue.hasWaiting)
        }
    }

    private func noteConsumed(by id: CommandID) {
        guard let offset = self[input: id]?.queue.consumed else { return }
        switch id {
        case .attempt(let id):
            if let lease = state.attempts[id]?.lease { step(.inputConsumed(lease, offset: offset)) }
        case .exec(let id):
            execOutbox.noteConsumed(id, offset: offset)
            wakeWriter()
        }
    }

    private func watchInput(of id: CommandID, _ isNeeded: Bool) {
        guard let pipe = self[input: id]?.pipe else { return }
        self[input: id]?.isWatched = isNeeded
        guard isNeeded else { return thread.events.forget(pipe) }
        do {
            try thread.events.watch(pipe, .writable) { self.writeInput(of: id) }
        } catch {
            log.warning("standard input of \(id.text): \(error)")
            closeInput(of: id)
        }
    }

    /// Closes this side's copy and lets the launcher close its own: the command sees the end of its input.
    func closeInput(of id: CommandID) {
        guard var input = self[input: id], let pipe = input.pipe else { return }
        if input.isWatched { thread.events.forget(pipe) }
        input.pipe = nil
        input.isWatched = false
        self[input: id] = input
        let isActive =
            switch id {
            case .attempt(let id): state.attempts[id]?.machine.isActive
            case .exec(let id): execs[id]?.machine.isActive
            }
        if isActive == true { launcher?.send(.closeInput(id: id.text)) }
    }
}
