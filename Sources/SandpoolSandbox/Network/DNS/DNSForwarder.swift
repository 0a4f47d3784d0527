import Glibc
import LinuxSystem

/// Answers sandboxes' DNS questions from the host's own servers. Runs in a process without any privilege.
final class DNSForwarder {
    /// Bounds on questions under way, and so on sockets and memory.
    private static let totalLimit = 512
    private static let sandboxLimit = 64
    /// Datagrams read in one go before other descriptors have their turn.
    private static let burst = 32

    private struct Sandbox {
        var token: UInt64
        var policy: ForwarderPolicy
    }

    /// A question that was taken on.
    private struct Pending {
        var address: UInt32
        var query: DNSQuery
        var policy: ForwarderPolicy
        var token: UInt64
        var upstream: UpstreamQuestion?
        var answer: DNSAnswer?
        var reply: (DNSQuery, UInt8, [DNS.Record]) -> Void
    }

    private let datagram: FileDescriptor
    private let control: SeqPacketSocket
    private let loop: EventLoop
    private var resolver: ResolverConfiguration
    private var streams: StreamClients?
    private var sandboxes: [UInt32: Sandbox] = [:]
    private var pending: [UInt64: Pending] = [:]
    private var pendingCounts: [UInt32: Int] = [:]
    private var lastNumber: UInt64 = 0

    init(
        datagram: FileDescriptor, stream: FileDescriptor, control: SeqPacketSocket, resolverPath: String,
        loop: EventLoop
    ) throws {
        self.datagram = datagram
        self.control = control
        self.loop = loop
        resolver = ResolverConfiguration(path: resolverPath)
        streams = try StreamClients(listener: stream, loop: loop) { [unowned self] message, client, reply in
            handle(message, from: client, reply: reply) { query, code, records in
                reply(DNSResponse.message(query, code: code, records: records, limit: DNS.streamLimit))
            }
        }
        try loop.watch(control.descriptor, .readable) { [unowned self] in readControl() }
        try loop.watch(datagram, .readable) { [unowned self] in readDatagrams() }
    }

    /// Takes all commands that are there. The end of the connection is the launcher's end.
    private func readControl() {
        while true {
            do {
                guard
                    let message = try control.receive(
                        limit: ForwarderCommand.sizeLimit, descriptorLimit: 1, waiting: false)
                else { return loop.stop() }
                if let command = try? ForwarderCommand(message.bytes) { apply(command) }
            } catch { return }
        }
    }

    private func apply(_ command: ForwarderCommand) {
        switch command {
        case .admit(let address, let token, let policy):
            sandboxes[address] = Sandbox(token: token, policy: policy)
        case .forget(let address, let token):
            if sandboxes[address]?.token == token { sandboxes[address] = nil }
        case .learned(let number, let isAdded):
            guard let entry = pending[number], let answer = entry.answer else { return }
            if isAdded {
                finish(number, code: answer.code, records: answer.records)
            } else {
                finish(number, code: DNS.Code.serverFailure.rawValue)
            }
        }
    }

    private func readDatagrams() {
        for _ in 0..<Self.burst {
            var buffer = [UInt8](repeating: 0, count: DNS.extendedDatagramLimit)
            var sender = sockaddr_in()
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let count = withUnsafeMutablePointer(to: &sender) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    recvfrom(datagram.raw, &buffer, buffer.count, Int32(MSG_DONTWAIT), $0, &length)
                }
            }
            guard count >= 0, let client = SocketAddress(sender) else { return }
            let send = { [unowned self] (bytes: [UInt8]) in self.send(bytes, to: client) }
            handle(Array(buffer[..<count]), from: client.ipv4Address, reply: send) { query, code, records in
                let room = Int(query.datagramSize ?? 0)
                let limit = min(max(room, DNS.datagramLimit), DNS.extendedDatagramLimit)
                send(DNSResponse.message(query, code: code, records: records, limit: limit))
            }
        }
    }

    /// What does not fit the socket's buffer is lost, as datagrams are.
    private func send(_ bytes: [UInt8], to client: SocketAddress) {
        _ = client.withPointer {
            sendto(datagram.raw, bytes, bytes.count, Int32(MSG_DONTWAIT), $0, $1)
        }
    }

    /// - Parameters:
    ///   - reply: sends a message as it is.
    ///   - answer: sends the answer to the query in the client's size.
    private func handle(
        _ message: [UInt8], from address: UInt32, reply: ([UInt8]) -> Void,
        answer: @escaping (DNSQuery, UInt8, [DNS.Record]) -> Void
    ) {
        // A sandbox's policy was sent before its first question, but may not have been read yet.
        readControl()
        let query: DNSQuery
        do { query = try DNSQuery(message) } catch {
            if case .rejected(let id, let code) = error { reply(DNSResponse.rejection(id: id, code)) }
            return
        }
        let type = query.question.type
        guard let sandbox = sandboxes[address], query.question.recordClass == DNS.classInternet,
            !(DNS.Kind.firstMeta...DNS.Kind.lastMeta).contains(type), type != DNS.Kind.options,
            sandbox.policy.allows(query.question.name)
        else { return answer(query, DNS.Code.refused.rawValue, []) }
        guard pending.count < Self.totalLimit, pendingCounts[address, default: 0] < Self.sandboxLimit else {
            return answer(query, DNS.Code.serverFailure.rawValue, [])
        }
        lastNumber += 1
        let number = lastNumber
        let upstream = UpstreamQuestion(query.question, servers: resolver.current(), loop: loop) { [unowned self] in
            receive($0, for: number)
        }
        pending[number] = Pending(
            address: address, query: query, policy: sandbox.policy, token: sandbox.token, upstream: upstream,
            reply: answer)
        pendingCounts[address, default: 0] += 1
        upstream.start()
    }

    private func receive(_ answer: DNSAnswer?, for number: UInt64) {
        guard var entry = pending[number] else { return }
        guard var answer else { return finish(number, code: DNS.Code.serverFailure.rawValue) }
        answer.strip(opened: entry.policy.opened)
        let learned = answer.addresses
        guard entry.policy.isRestricted, !learned.isEmpty else {
            return finish(number, code: answer.code, records: answer.records)
        }
        entry.answer = answer
        pending[number] = entry
        let request = LearnRequest(
            number: number, address: entry.address, token: entry.token,
            learned: Array(learned.prefix(LearnRequest.addressLimit)))
        do { try control.send(request.encoded, waiting: false) } catch {
            finish(number, code: DNS.Code.serverFailure.rawValue)
        }
    }

    private func finish(_ number: UInt64, code: UInt8, records: [DNS.Record] = []) {
        guard let entry = pending.removeValue(forKey: number) else { return }
        let count = pendingCounts[entry.address, default: 1] - 1
        pendingCounts[entry.address] = count > 0 ? count : nil
        // The question may be on the stack below: it goes when this round of events is over.
        loop.afterEvents { withExtendedLifetime(entry.upstream) {} }
        // Unless another sandbox has the address by now.
        if sandboxes[entry.address]?.token == entry.token { entry.reply(entry.query, code, records) }
    }
}
