import Glibc
import LinuxSystem

/// What an ordinary user's launcher keeps of the host's net namespace before it leaves that for good: a process there,
/// and two sockets that tell the host's addresses. Sockets stay in the namespace they were made in.
final class HostSide {
    /// pasta takes some 30 ms; a host that is busy may take this long, and then there is no network.
    private static let startMs: UInt64 = 10_000

    let changes: AddressChanges
    private let route: NetlinkSocket
    private let control: SeqPacketSocket

    /// In the launcher's user namespace, and still in the host's net and mount namespaces.
    ///
    /// - Parameter resolverPath: names the host's DNS servers (resolv.conf(5)).
    init(resolverPath: String) throws(SystemError) {
        route = try NetlinkSocket(.route)
        changes = try AddressChanges()
        let (ours, theirs) = try SeqPacketSocket.pair()
        control = ours
        _ = try ChildProcess.clone(.pid) { HostSideMain.run(theirs, resolverPath: resolverPath) }
    }

    func addresses() throws -> [UInt32] { try route.addresses() }

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

    /// Gives a namespace its interface, with nothing configured. Waits until it is there.
    func connect(_ namespace: FileDescriptor, token: UInt64, address: UInt32, gateway: UInt32) throws {
        let said = try askToConnect(namespace, .connect(token: token, address: address, gateway: gateway))
        switch try verdict(said) {
        case .working: return
        case .ended(let reason)?: throw NetworkError("open network: \(Pasta.path): \(reason)")
        case nil:
            disconnect(token: token)
            throw NetworkError("open network: \(Pasta.path) did not start within \(Self.startMs / 1_000) s")
        }
    }

    func disconnect(token: UInt64) {
        // Fails where the process is gone, and all of its children with it.
        try? control.send(HostSideCommand.disconnect(token: token).encoded)
    }

    /// Starts a DNS forwarder whose end the end of its connection tells.
    func startForwarder(_ theirs: SeqPacketSocket) throws {
        try control.send(HostSideCommand.forward.encoded, [theirs.descriptor])
    }

    /// The writing end is left to pasta alone.
    private func askToConnect(_ namespace: FileDescriptor, _ command: HostSideCommand) throws -> FileDescriptor {
        let pipe = try Pipe()
        try control.send(command.encoded, [namespace, pipe.writeEnd])
        return pipe.readEnd
    }

    private func verdict(_ said: FileDescriptor) throws -> PastaWords.Verdict? {
        let deadline = BoottimeClock.milliseconds() + Self.startMs
        var words = PastaWords()
        while true {
            let now = BoottimeClock.milliseconds()
            guard now < deadline else { return nil }
            var state = pollfd(fd: said.raw, events: Int16(POLLIN), revents: 0)
            guard poll(&state, 1, Int32(deadline - now)) > 0 else { continue }
            var buffer = [UInt8](repeating: 0, count: PastaWords.limit)
            let count = read(said.raw, &buffer, buffer.count)
            guard count >= 0 else {
                if errno == EINTR { continue }
                throw SystemError("read what pasta says", code: errno)
            }
            if let verdict = words.take(buffer[..<count]) { return verdict }
        }
    }
}
