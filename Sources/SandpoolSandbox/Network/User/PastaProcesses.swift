import Glibc
import LinuxSystem

/// The pasta processes of one launcher: started some at a time while its loop goes on, and watched until they end.
final class PastaProcesses {
    /// One takes some 30 ms to start; a host that is busy may take this long, and then there is no network.
    private static let startMs: UInt64 = 10_000
    /// They share the host's processors.
    private static let startsAtOnce = 4

    /// Where one is needed.
    struct Place {
        var namespace: FileDescriptor
        var address: UInt32
        var gateway: UInt32
    }

    private struct Order {
        var place: Place
        var started: (Result<Void, NetworkError>) -> Void
        var ended: () -> Void
    }

    private final class Start {
        let order: Order
        let said: FileDescriptor
        let deadline: EventLoop.TimerToken
        var words = PastaWords()
        /// Whether it is gone already, whatever it has said before.
        var hasEnded = false

        init(_ order: Order, _ said: FileDescriptor, _ deadline: EventLoop.TimerToken) {
            self.order = order
            self.said = said
            self.deadline = deadline
        }
    }

    private let side: HostSide
    private let loop: EventLoop
    private var waiting: [(token: UInt64, order: Order)] = []
    private var starts: [UInt64: Start] = [:]
    /// What to call when they end.
    private var running: [UInt64: () -> Void] = [:]
    private var lastToken: UInt64 = 0
    private(set) var isSideGone = false

    init(_ side: HostSide, _ loop: EventLoop) throws(SystemError) {
        self.side = side
        self.loop = loop
        try side.listen(in: loop, heard: { [unowned self] in hear() }, eased: { [unowned self] in work() })
        try loop.watch(side.end, .readable) { [unowned self] in loseSide() }
    }

    /// Gives a namespace its interface, with nothing configured.
    ///
    /// - Parameters:
    ///   - started: called once, after this returned, when the interface is there or why it is not.
    ///   - ended: called once after that when it is gone again, unless it was `end` that ended it.
    /// - Returns: what `end` takes.
    func start(
        _ place: Place, started: @escaping (Result<Void, NetworkError>) -> Void, ended: @escaping () -> Void
    ) -> UInt64 {
        lastToken += 1
        waiting.append((lastToken, Order(place: place, started: started, ended: ended)))
        loop.afterEvents { [unowned self] in work() }
        return lastToken
    }

    /// Ends one, or its start. Nothing of it is told any more.
    func end(_ token: UInt64) {
        waiting.removeAll { $0.token == token }
        if close(token) != nil || running.removeValue(forKey: token) != nil { side.disconnect(token: token) }
        loop.afterEvents { [unowned self] in work() }
    }

    /// Ends all of them. Nothing can be started any more.
    func shutDown() {
        waiting = []
        for token in Array(starts.keys) { _ = close(token) }
        running = [:]
        isSideGone = true
        side.unlisten()
        loop.forget(side.end)
        side.kill()
    }

    private func work() {
        while starts.count < Self.startsAtOnce, !waiting.isEmpty, !side.isFull {
            let (token, order) = waiting.removeFirst()
            begin(token, order)
        }
    }

    private func begin(_ token: UInt64, _ order: Order) {
        do {
            if isSideGone { throw Self.sideIsGone }
            let place = order.place
            let said = try side.connect(
                place.namespace, token: token, address: place.address, gateway: place.gateway)
            do { try loop.watch(said, .readable) { [unowned self] in read(token) } } catch {
                side.disconnect(token: token)
                throw error
            }
            let deadline = loop.schedule(at: BoottimeClock.milliseconds() + Self.startMs) { [unowned self] in
                fail(token, "did not start within \(Self.startMs / 1_000) s")
            }
            starts[token] = Start(order, said, deadline)
        } catch let error as SystemError where error.code == EAGAIN && side.isFull {
            waiting.insert((token, order), at: 0)
        } catch {
            order.started(.failure(NetworkError(describing: error, while: "start \(Pasta.path)")))
        }
    }

    private func read(_ token: UInt64) {
        guard let start = starts[token] else { return }
        var buffer = [UInt8](repeating: 0, count: PastaWords.limit)
        let count = Glibc.read(start.said.raw, &buffer, buffer.count)
        guard count >= 0 else {
            if errno != EAGAIN, errno != EINTR { fail(token, String(cString: strerror(errno))) }
            return
        }
        switch start.words.take(buffer[..<count]) {
        case .working? where start.hasEnded: fail(token, "it ended right after its start")
        case .working?:
            _ = close(token)
            running[token] = start.order.ended
            start.order.started(.success(()))
            work()
        case .ended(let reason)?: fail(token, reason)
        case nil: return
        }
    }

    private func fail(_ token: UInt64, _ reason: String) {
        guard let start = close(token) else { return }
        side.disconnect(token: token)
        start.order.started(.failure(NetworkError("open network: \(Pasta.path): \(reason)")))
        work()
    }

    private func close(_ token: UInt64) -> Start? {
        guard let start = starts.removeValue(forKey: token) else { return nil }
        loop.forget(start.said)
        loop.cancel(start.deadline)
        return start
    }

    private func hear() {
        while case .ended(let token)? = side.nextEvent() {
            // What it said last is still in its pipe.
            starts[token]?.hasEnded = true
            running.removeValue(forKey: token)?()
        }
        // At the end of the connection nothing is told any more, and the process ends.
        if side.isSilent { side.unlisten() }
    }

    /// Everything that was started there is gone, and no other can be made: the launcher cannot go back.
    private func loseSide() {
        loop.forget(side.end)
        side.unlisten()
        side.reap()
        isSideGone = true
        Diagnostics.write("\(Self.sideIsGone.message)")
        let ended = Array(running.values)
        running = [:]
        for token in Array(starts.keys) { fail(token, "it ended without a word") }
        for tell in ended { tell() }
        work()
    }

    private static let sideIsGone = NetworkError(
        "open network: the launcher's process in the host's network was ended from outside; end every --local of this "
            + "user, and the next one has a new launcher")
}
