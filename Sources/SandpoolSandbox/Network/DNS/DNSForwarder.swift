import Glibc
import LinuxSystem

/// Answers sandboxes' DNS questions from the host's own servers. Runs in a process without any privilege.
final class DNSForwarder {
    /// Bounds on questions under way, and so on sockets and memory.
    private static let totalLimit = 512
    private static let sandboxLimit = 64

    private struct Sandbox {
        var token: UInt64
        var policy: ForwarderPolicy
        /// Its own, where it has one.
        var listener: DNSListener?
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

    private let control: SeqPacketSocket
    private let loop: EventLoop
    private var resolver: ResolverConfiguration
    /// Where every sandbox asks that has no listener of its own.
    private var common: DNSListener?
    private var sandboxes: [UInt32: Sandbox] = [:]
    private var pending: [UInt64: Pending] = [:]
    private var pendingCounts: [UInt32: Int] = [:]
    private var lastNumber: UInt64 = 0

    init(sockets: GatewaySockets?, control: SeqPacketSocket, resolverPath: String, loop: EventLoop) throws {
        self.control = control
        self.loop = loop
        resolver = ResolverConfiguration(path: resolverPath)
        if let sockets { common = try listener(sockets, asker: nil) }
        try loop.watch(control.descriptor, .readable) { [unowned self] in readControl() }
    }

    private func listener(_ sockets: GatewaySockets, asker: UInt32?) throws -> DNSListener {
        try DNSListener(sockets, asker: asker, loop: loop) { [unowned self] in handle($0) }
    }

    /// Takes all commands that are there. The end of the connection is the launcher's end.
    private func readControl() {
        while true {
            do {
                guard
                    let message = try control.receive(
                        limit: ForwarderCommand.sizeLimit, descriptorLimit: ForwarderCommand.descriptorLimit,
                        waiting: false)
                else { return loop.stop() }
                if let command = try? ForwarderCommand(message.bytes) { apply(command, message.descriptors) }
            } catch { return }
        }
    }

    private func apply(_ command: ForwarderCommand, _ descriptors: [FileDescriptor]) {
        switch command {
        case .admit(let address, let token, let policy):
            stopListening(at: address)
            // Where that fails the sandbox gets no answers; its neighbours do.
            let own = GatewaySockets(descriptors).flatMap { try? listener($0, asker: address) }
            sandboxes[address] = Sandbox(token: token, policy: policy, listener: own)
        case .forget(let address, let token):
            guard sandboxes[address]?.token == token else { return }
            stopListening(at: address)
            sandboxes[address] = nil
        case .learned(let number, let isAdded):
            guard let entry = pending[number], let answer = entry.answer else { return }
            if isAdded {
                finish(number, code: answer.code, records: answer.records)
            } else {
                finish(number, code: DNS.Code.serverFailure.rawValue)
            }
        }
    }

    private func stopListening(at address: UInt32) {
        guard let listener = sandboxes[address]?.listener else { return }
        listener.stop()
        // One of its questions may be on the stack below.
        loop.afterEvents { withExtendedLifetime(listener) {} }
    }

    private func handle(_ asked: DNSListener.Asked) {
        let (address, answer) = (asked.address, asked.answer)
        // A sandbox's policy was sent before its first question, but may not have been read yet.
        readControl()
        let query: DNSQuery
        do { query = try DNSQuery(asked.message) } catch {
            if case .rejected(let id, let code) = error { asked.reply(DNSResponse.rejection(id: id, code)) }
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
