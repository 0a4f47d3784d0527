import Glibc
import LinuxSystem

/// One question on its way to the host's DNS servers: by datagram, by TCP when the answer was cut, and then to
/// the next server when none comes. Each try has a socket, hence a port, and an id of its own, both random:
/// that is what a forger has to guess.
final class UpstreamQuestion {
    private static let tryMs: UInt64 = 2_000
    private static let tryLimit = 4
    /// Wrong datagrams on one socket before it is given up: a forger gets few guesses.
    private static let strayLimit = 16

    private let question: DNS.Question
    private let servers: [SocketAddress]
    private let loop: EventLoop
    /// Called once: with an answer, or with nil when no server gave one.
    private let done: (DNSAnswer?) -> Void

    private var tries = 0
    private var strays = 0
    private var id: UInt16 = 0
    private var socket: FileDescriptor?
    private var timer: EventLoop.TimerToken?
    private var received: [UInt8] = []
    private var unsent: [UInt8] = []

    init(
        _ question: DNS.Question, servers: [SocketAddress], loop: EventLoop, done: @escaping (DNSAnswer?) -> Void
    ) {
        self.question = question
        self.servers = servers
        self.loop = loop
        self.done = done
    }

    func start() { tryNext() }

    private func tryNext() {
        close()
        guard !servers.isEmpty, tries < Self.tryLimit else { return done(nil) }
        tries += 1
        strays = 0
        id = .random(in: .min ... .max)
        do {
            let socket = try connect(SOCK_DGRAM)
            let message = DNSQuery.upstreamMessage(id: id, question)
            try systemCall("send") { send(socket.raw, message, message.count, 0) }
            try loop.watch(socket, .readable) { [unowned self] in readDatagram(socket) }
            arm()
        } catch {
            // Such as ENETUNREACH: the next server may be on another network. Not from inside this call,
            // which would nest.
            timer = loop.schedule(at: BoottimeClock.milliseconds()) { [unowned self] in tryNext() }
        }
    }

    private func readDatagram(_ socket: FileDescriptor) {
        var buffer = [UInt8](repeating: 0, count: DNS.extendedDatagramLimit)
        let count = recv(socket.raw, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        if count < 0 {
            // ECONNREFUSED: nobody listens there.
            if errno != EAGAIN && errno != EINTR { tryNext() }
            return
        }
        guard let answer = DNSAnswer(Array(buffer[..<count]), id: id, question: question) else {
            strays += 1
            if strays > Self.strayLimit { tryNext() }
            return
        }
        if answer.isTruncated { return tryStream() }
        take(answer)
    }

    private func tryStream() {
        close()
        id = .random(in: .min ... .max)
        let message = DNSQuery.upstreamMessage(id: id, question)
        unsent = [UInt8(message.count >> 8), UInt8(message.count & 0xff)] + message
        received = []
        do {
            let socket = try connect(SOCK_STREAM)
            try loop.watch(socket, .writable) { [unowned self] in progressStream(socket) }
            arm()
        } catch {
            timer = loop.schedule(at: BoottimeClock.milliseconds()) { [unowned self] in tryNext() }
        }
    }

    private func progressStream(_ socket: FileDescriptor) {
        if !unsent.isEmpty {
            let count = send(socket.raw, unsent, unsent.count, Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
            if count < 0 {
                if errno != EAGAIN && errno != EINTR { tryNext() }
                return
            }
            unsent.removeFirst(count)
            if unsent.isEmpty, (try? loop.change(socket, .readable)) == nil { tryNext() }
            return
        }
        var buffer = [UInt8](repeating: 0, count: 16_384)
        let count = recv(socket.raw, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        if count < 0, errno == EAGAIN || errno == EINTR { return }
        guard count > 0 else { return tryNext() }
        received += buffer[..<count]
        guard let length = DNS.uint16(received, at: 0), received.count >= 2 + Int(length) else { return }
        let message = Array(received[2..<2 + Int(length)])
        guard let answer = DNSAnswer(message, id: id, question: question), !answer.isTruncated else {
            return tryNext()
        }
        take(answer)
    }

    private func take(_ answer: DNSAnswer) {
        // Another server may know what this one failed at.
        if answer.code == DNS.Code.serverFailure.rawValue || answer.code == DNS.Code.refused.rawValue,
            tries < servers.count
        {
            return tryNext()
        }
        close()
        done(answer)
    }

    private func connect(_ type: __socket_type) throws -> FileDescriptor {
        let server = servers[(tries - 1) % servers.count]
        let kind = Int32(type.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let socket = FileDescriptor(owning: try systemCall("socket") { Glibc.socket(server.family, kind, 0) })
        // Connected: the kernel takes datagrams of this server alone, and picks the port at random.
        let result = server.withPointer { Glibc.connect(socket.raw, $0, $1) }
        guard result == 0 || errno == EINPROGRESS else { throw SystemError("connect", code: errno) }
        self.socket = socket
        return socket
    }

    private func arm() {
        timer = loop.schedule(at: BoottimeClock.milliseconds() + Self.tryMs) { [unowned self] in tryNext() }
    }

    private func close() {
        if let timer { loop.cancel(timer) }
        timer = nil
        if let socket { loop.forget(socket) }
        socket = nil
    }
}
