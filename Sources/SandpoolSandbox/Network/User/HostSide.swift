import Glibc
import LinuxSystem

/// What an ordinary user's launcher keeps of the host's net namespace before it leaves that for good: a process there,
/// and sockets that tell what the host takes for its own. Sockets stay in the namespace they were made in.
///
/// Nothing here waits for the process: one that takes nothing of what it is told for long is ended, and all that it
/// started with it.
final class HostSide {
    let addresses: HostAddresses
    /// Whether it tells nothing any more.
    private(set) var isSilent = false
    private let route: NetlinkSocket
    private let line: HostSideLine
    private let process: ChildProcess

    /// In the launcher's user namespace, and still in the host's net and mount namespaces.
    ///
    /// - Parameter resolverPath: names the host's DNS servers (resolv.conf(5)).
    init(resolverPath: String) throws(SystemError) {
        route = try NetlinkSocket(.route)
        addresses = try HostAddresses()
        let (ours, theirs) = try SeqPacketSocket.pair()
        theirs.setBuffers(HostSideLine.buffers)
        line = HostSideLine(ours)
        process = try ChildProcess.clone(.pid) { HostSideMain.run(theirs, resolverPath: resolverPath) }
    }

    /// Readable when the process has ended, and everything that it started.
    var end: FileDescriptor { process.descriptor }

    /// The first range that no route of the host leads into.
    func freePlan() throws -> AddressPlan {
        let taken = try route.routes().filter { $0.prefixLength > 0 }.map {
            IPv4Network(address: $0.destination, prefixLength: $0.prefixLength)
        }
        if let plan = AddressPlan.candidates.first(where: { plan in !taken.contains { $0.overlaps(plan.network) } }) {
            return plan
        }
        throw AddressPlan.noneIsFree
    }

    /// Calls `heard` when it tells something (`nextEvent`), and `eased` when it takes again what it has refused.
    func listen(
        in loop: EventLoop, heard: @escaping () -> Void, eased: @escaping () -> Void
    ) throws(SystemError) {
        try line.listen(
            in: loop, HostSideLine.Handlers(heard: heard, eased: eased) { [unowned self] in kill() })
    }

    func unlisten() { line.close() }

    /// Whether it takes nothing at the moment.
    var isFull: Bool { line.isFull }

    /// Has a pasta started for a namespace. What it says comes out of the pipe, whose end is its end or that there was
    /// none; the end of one that was started is told as an event, too.
    ///
    /// - Throws: EAGAIN where it takes nothing at the moment.
    func connect(
        _ namespace: FileDescriptor, token: UInt64, address: UInt32, gateway: UInt32
    ) throws(SystemError) -> FileDescriptor {
        let pipe = try Pipe()
        try pipe.readEnd.setNonBlocking()
        // The writing end is left to pasta alone.
        try line.tell(.connect(token: token, address: address, gateway: gateway), [namespace, pipe.writeEnd])
        return pipe.readEnd
    }

    /// What it started ends with it, where it cannot be told for long.
    func disconnect(token: UInt64) { line.tellEnd(of: token) }

    /// Starts a DNS forwarder whose end the end of its connection tells.
    func startForwarder(_ theirs: SeqPacketSocket) throws(SystemError) { try line.tell(.forward, [theirs.descriptor]) }

    /// What it has told; nil when there is nothing more.
    func nextEvent() -> HostSideEvent? {
        do {
            if let message = try line.receive() {
                return try HostSideEvent(message.bytes)
            }
        } catch let error as SystemError where error.code == EAGAIN {
            return nil
        } catch {
            // Of one that cannot be understood nothing is known.
            kill()
        }
        isSilent = true
        return nil
    }

    /// Its end is told by `end`.
    func kill() { try? process.send(SIGKILL) }

    func reap() { _ = try? process.reap() }
}
