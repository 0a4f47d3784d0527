import Glibc
import LinuxSystem

/// The launcher's side of the DNS forwarder: an unprivileged child that is started again when it ends.
final class ForwarderProcess {
    private struct Admission {
        var token: UInt64
        var policy: ForwarderPolicy
        var filter: EgressFilter
        /// Its own, where sandboxes share none.
        var sockets: GatewaySockets?
    }

    /// Starts the program at the other end of a connection. Nil for one that is somebody else's child: then the end
    /// of the connection is its end.
    typealias Start = (SeqPacketSocket) throws -> ChildProcess?

    /// How long an address stays in a filter: no shorter than programs keep names, no longer than an hour.
    private static let learnedSeconds: ClosedRange<UInt32> = 60...3_600
    private static let socketBuffer: Int32 = 1 << 20
    private static let restartDelaysMs: [UInt64] = [10, 100, 1_000, 10_000]

    private let startProgram: Start
    private let loop: EventLoop
    private var admissions: [UInt32: Admission] = [:]
    private(set) var child: ChildProcess?
    private(set) var control: SeqPacketSocket?
    private var restarts = 0
    private var restartTimer: EventLoop.TimerToken?

    init(loop: EventLoop, start startProgram: @escaping Start) throws {
        self.startProgram = startProgram
        self.loop = loop
        try start()
    }

    /// Root's: a child that becomes nobody.
    convenience init(sockets: GatewaySockets, resolverPath: String, loop: EventLoop) throws {
        try self.init(loop: loop, start: Self.asNobody(sockets, resolverPath))
    }

    /// One that the program before started. It stays what it was, and knows its sandboxes.
    init(
        takingOver child: ChildProcess, _ control: SeqPacketSocket, sockets: GatewaySockets, resolverPath: String,
        loop: EventLoop
    ) throws(SystemError) {
        startProgram = Self.asNobody(sockets, resolverPath)
        self.loop = loop
        self.child = child
        self.control = control
        try watch(control)
    }

    private static func asNobody(_ sockets: GatewaySockets, _ resolverPath: String) -> Start {
        let launcher = getpid()
        return { theirs in
            try ChildProcess.clone {
                ForwarderMain.run(
                    sockets: sockets, control: theirs, resolverPath: resolverPath, user: HostRights.nobody,
                    parent: launcher)
            }
        }
    }

    /// Of a sandbox that a forwarder which was taken over has admitted.
    func takeOver(address: UInt32, token: UInt64, _ policy: EgressPolicy, filter: EgressFilter) {
        admissions[address] = Admission(token: token, policy: Self.policy(policy), filter: filter, sockets: nil)
    }

    /// For one that was started when all of its sandboxes were there.
    func admitAll() throws(SystemError) {
        guard let control else { return }
        for (address, admission) in admissions { try Self.send(admission, address, through: control) }
    }

    private static func policy(_ policy: EgressPolicy) -> ForwarderPolicy {
        ForwarderPolicy(isRestricted: policy.isRestricted, domains: policy.domains, opened: policy.opened)
    }

    /// From now on the sandbox with this address may ask. Its policy is in the forwarder's queue before the
    /// sandbox's first question can be.
    ///
    /// - Parameter sockets: at which this sandbox asks, where sandboxes share none.
    func admit(
        address: UInt32, token: UInt64, _ policy: EgressPolicy, filter: EgressFilter, sockets: GatewaySockets? = nil
    ) throws {
        let admission = Admission(token: token, policy: Self.policy(policy), filter: filter, sockets: sockets)
        admissions[address] = admission
        // While it is being started again, the new one gets all admissions.
        guard let control else { return }
        do {
            try Self.send(admission, address, through: control)
        } catch  where error.code != EPIPE && error.code != ECONNRESET {
            admissions[address] = nil
            throw error
        } catch {
            // It has just ended; see above.
        }
    }

    private static func send(
        _ admission: Admission, _ address: UInt32, through control: SeqPacketSocket
    ) throws(SystemError) {
        let command = ForwarderCommand.admit(address: address, token: admission.token, admission.policy)
        try control.send(command.encoded, admission.sockets?.descriptors ?? [], waiting: false)
    }

    func forget(address: UInt32, token: UInt64) {
        guard admissions[address]?.token == token else { return }
        admissions[address] = nil
        // Lost at worst: then the forwarder keeps a policy that the next admission replaces.
        try? control?.send(ForwarderCommand.forget(address: address, token: token).encoded, waiting: false)
    }

    func stop() {
        if let restartTimer { loop.cancel(restartTimer) }
        restartTimer = nil
        if let child { try? child.send(SIGKILL) }
        end()
    }

    private func start() throws {
        let (ours, theirs) = try SeqPacketSocket.pair()
        ours.setBuffers(Self.socketBuffer)
        theirs.setBuffers(Self.socketBuffer)
        child = try startProgram(theirs)
        control = ours
        do {
            try admitAll()
            try watch(ours)
        } catch {
            stop()
            throw error
        }
    }

    private func watch(_ control: SeqPacketSocket) throws(SystemError) {
        if let child { try loop.watch(child.descriptor, .readable) { [unowned self] in restart() } }
        try loop.watch(control.descriptor, .readable) { [unowned self] in serve(control) }
    }

    private func end() {
        if let control { loop.forget(control.descriptor) }
        control = nil
        guard let child else { return }
        loop.forget(child.descriptor)
        // ECHILD when the launcher's own wait for any child was first.
        _ = try? child.reap()
        self.child = nil
    }

    private func restart() {
        end()
        let delay = Self.restartDelaysMs[min(restarts, Self.restartDelaysMs.count - 1)]
        restarts += 1
        startLater(delay)
    }

    private func startLater(_ delayMs: UInt64) {
        restartTimer = loop.schedule(at: BoottimeClock.milliseconds() + delayMs) { [unowned self] in
            restartTimer = nil
            // Out of memory or processes: there is no forwarder now, but there may be later.
            do { try start() } catch { startLater(Self.restartDelaysMs[Self.restartDelaysMs.count - 1]) }
        }
    }

    private func serve(_ control: SeqPacketSocket) {
        guard let message = receive(control) else { return }
        guard let request = try? LearnRequest(message.bytes) else { return }
        // It answers questions, so it works.
        restarts = 0
        let isAdded = learn(request)
        try? control.send(
            ForwarderCommand.learned(number: request.number, isAdded: isAdded).encoded, waiting: false)
    }

    private func receive(_ control: SeqPacketSocket) -> SeqPacketSocket.Message? {
        do throws(SystemError) {
            let message = try control.receive(limit: LearnRequest.sizeLimit, descriptorLimit: 1, waiting: false)
            if let message { return message }
        } catch  where [EAGAIN, EMSGSIZE].contains(error.code) {
            return nil
        } catch {}
        // A child's own end tells.
        if child == nil { restart() }
        return nil
    }

    private func learn(_ request: LearnRequest) -> Bool {
        guard let admission = admissions[request.address], admission.token == request.token else { return false }
        let seconds = Self.learnedSeconds
        // Checked again: the forwarder reads what strangers write.
        let usable = request.learned.filter { entry in
            !DroppedRanges.contains(entry.address)
                || admission.policy.opened.contains { $0.contains(entry.address) }
        }
        guard !usable.isEmpty else { return true }
        let entries = usable.map { entry in
            let ttl = min(max(entry.ttl, seconds.lowerBound), seconds.upperBound)
            return (address: entry.address, timeoutMs: UInt64(ttl) * 1_000)
        }
        do { try admission.filter.learn(entries) } catch { return false }
        return true
    }
}
