import Glibc
import LinuxSystem
import SandpoolAPI
import SandpoolModel

/// Where `sandpool worker verify` knocks: a Unix socket in the worker's own directory, for this user and root. A
/// caller sends one word, how much is to be tried, and gets the result as a file in memory.
///
/// Runs on the core's thread.
final class VerificationDoor {
    static func path(in directory: String) -> String { "\(directory)/verify.sock" }

    /// Who may wait at once.
    private static let callerLimit = 8
    private static let wordLimit = 64

    private let events: EventLoop
    private let listener: SeqPacketSocket
    private let path: String
    private var callers: [Int32: SeqPacketSocket] = [:]
    /// Answers a caller; called on the loop's thread.
    private let answer: (VerificationExtent, SeqPacketSocket) -> Void

    init(
        directory: String, on events: EventLoop, _ answer: @escaping (VerificationExtent, SeqPacketSocket) -> Void
    ) throws(SystemError) {
        self.events = events
        self.answer = answer
        path = Self.path(in: directory)
        // Of a worker that is gone: this one holds the directory's lock.
        unlink(path)
        listener = try SeqPacketSocket.listen(path: path, mode: 0o600)
        try listener.descriptor.setNonBlocking()
        try events.watch(listener.descriptor, .readable) { [unowned self] in accept() }
    }

    func close() {
        events.forget(listener.descriptor)
        for caller in callers.values { events.forget(caller.descriptor) }
        callers = [:]
        unlink(path)
    }

    private func accept() {
        guard let caller = try? listener.accept() else { return }
        guard callers.count < Self.callerLimit, let user = try? caller.peerUser(), user == 0 || user == geteuid() else {
            return
        }
        let key = caller.descriptor.raw
        callers[key] = caller
        do { try events.watch(caller.descriptor, .readable) { [unowned self] in read(key) } } catch {
            callers[key] = nil
        }
    }

    private func read(_ key: Int32) {
        guard let caller = callers.removeValue(forKey: key) else { return }
        events.forget(caller.descriptor)
        guard let message = try? caller.receive(limit: Self.wordLimit, waiting: false),
            let extent = VerificationExtent(rawValue: String(decoding: message.bytes, as: UTF8.self))
        else { return }
        answer(extent, caller)
    }
}

extension WorkerCore {
    /// Opens the door for as long as this worker runs.
    func openDoor(to desk: VerificationDesk) throws(SystemError) {
        door = try VerificationDoor(directory: directory.path, on: thread.events) { [work] extent, caller in
            work.add {
                let result = await desk.verify(extent)
                guard let text = try? WireJSON.text(result),
                    let file = try? SealedFile.make(Array(text.utf8), name: "verification")
                else { return }
                // A caller that is gone does not want to know.
                try? caller.send(Array("done".utf8), [file], waiting: false)
            }
        }
    }

    /// What jobs' trust is built on. When it changes the coordinator has to know, and learns it from the next hello.
    func setVerification(_ summary: VerificationSummary) {
        let isNews = state.verification != nil && state.verification != summary
        step(.verified(summary))
        if isNews { endSession(state.sessionNumber) }
    }
}
