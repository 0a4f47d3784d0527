import Foundation
import LinuxSystem
import SandpoolSandbox
import Testing

/// The worker's side of the protocol, blocking, one thing at a time.
final class LauncherClient {
    let process: LauncherProcess?
    private(set) var hostFingerprint = ""
    private(set) var instance = ""
    private(set) var adopted: [(id: String, descriptors: [FileDescriptor])] = []
    private var socket: SeqPacketSocket?
    private(set) var progress: SeqPacketSocket?
    /// What the spooler told last of each stdout: word of one sandbox comes while another's is waited for.
    private(set) var outputBytes: [String: UInt64] = [:]
    private var pending: [(event: LauncherEvent, descriptors: [FileDescriptor])] = []
    /// Nothing that a test waits for takes as long.
    private static let limitMs: Int32 = 60_000

    init(_ socket: SeqPacketSocket, _ process: LauncherProcess?) throws {
        self.socket = socket
        self.process = process
        try send(.hello(version: LauncherProtocol.version))
        let (event, descriptors) = try next()
        guard case .welcome(_, _, let fingerprint, _, let instance) = event, let first = descriptors.first else {
            throw TestFailure("no welcome but \(event)")
        }
        hostFingerprint = fingerprint
        self.instance = instance
        progress = SeqPacketSocket(first)
    }

    /// Hears of so many adopted sandboxes; the standard input of one of them, if it has a pipe.
    func adoptedInput(of sandbox: String, among count: Int) throws -> FileDescriptor? {
        var input: FileDescriptor?
        for _ in 0..<count {
            let (id, descriptors): (String, [FileDescriptor]) = try next { event, descriptors in
                if case .adopted(let id, _) = event { return (id, descriptors) }
                return nil
            }
            if id == sandbox { input = descriptors.dropFirst(2).first }
        }
        return input
    }

    func disconnect() {
        // Whoever else holds the socket: the launcher sees the end.
        if let socket { shutdown(socket.descriptor.raw, Int32(SHUT_RDWR)) }
        socket = nil
        progress = nil
        outputBytes = [:]
        pending = []
    }

    func send(_ request: LauncherRequest, _ descriptors: [FileDescriptor] = []) throws {
        try #require(socket).send(request.encoded(), descriptors)
    }

    func next() throws -> (LauncherEvent, [FileDescriptor]) {
        if !pending.isEmpty { return pending.removeFirst() }
        return try receive()
    }

    /// The next event that `wanted` accepts; others wait for their turn.
    func next<Value>(_ wanted: (LauncherEvent, [FileDescriptor]) -> Value?) throws -> Value {
        for (index, item) in pending.enumerated() {
            if let value = wanted(item.event, item.descriptors) {
                pending.remove(at: index)
                return value
            }
        }
        while true {
            let (event, descriptors) = try receive()
            if let value = wanted(event, descriptors) { return value }
            pending.append((event, descriptors))
        }
    }

    private func receive() throws -> (LauncherEvent, [FileDescriptor]) {
        let socket = try #require(socket)
        var state = pollfd(fd: socket.descriptor.raw, events: Int16(POLLIN), revents: 0)
        guard poll(&state, 1, Self.limitMs) == 1 else { throw TestFailure("no event came") }
        guard let message = try socket.receive(limit: LauncherProtocol.messageLimit) else {
            throw TestFailure("the launcher closed the connection")
        }
        return (try LauncherEvent(decoding: message.bytes), message.descriptors)
    }

    // MARK: Sandboxes

    struct Started {
        var output: FileDescriptor
        var error: FileDescriptor
        var input: FileDescriptor?
        var boottimeMs: UInt64
    }

    enum Outcome {
        case started(Started)
        case failed(SandboxFailure)
    }

    func request(_ plan: SandboxPlan, sink: FileDescriptor? = nil) throws {
        let file = try SealedFile.make(plan.encoded(), name: "plan")
        try send(.start(id: plan.id), [file] + (sink.map { [$0] } ?? []))
    }

    func outcome(of id: String) throws -> Outcome {
        try next { event, descriptors in
            switch event {
            case .started(id, let started) where descriptors.count >= 2:
                return .started(
                    Started(
                        output: descriptors[0], error: descriptors[1], input: descriptors.dropFirst(2).first,
                        boottimeMs: started))
            case .failed(id, let failure): return .failed(failure)
            default: return nil
            }
        }
    }

    func start(_ plan: SandboxPlan, sink: FileDescriptor? = nil) throws -> Started {
        try request(plan, sink: sink)
        switch try outcome(of: plan.id) {
        case .started(let started): return started
        case .failed(let failure): throw TestFailure("\(failure)")
        }
    }

    func failure(of plan: SandboxPlan) throws -> SandboxFailure {
        try request(plan)
        guard case .failed(let failure) = try outcome(of: plan.id) else { throw TestFailure("it started") }
        return failure
    }

    func report(of id: String) throws -> ExitReport {
        let report: ExitReport = try next { event, _ in
            if case .exited(id, let report) = event { return report }
            return nil
        }
        try send(.release(id: id))
        forgetOutput(of: id)
        return report
    }

    struct Finished {
        var report: ExitReport
        var output: [UInt8]
        var error: [UInt8]
        var text: String { String(decoding: output, as: UTF8.self) }
        var errorText: String { String(decoding: error, as: UTF8.self) }
    }

    func run(_ plan: SandboxPlan, sink: FileDescriptor? = nil) throws -> Finished {
        let started = try start(plan, sink: sink)
        return try finish(plan.id, started)
    }

    func finish(_ id: String, _ started: Started) throws -> Finished {
        let report = try report(of: id)
        return Finished(
            report: report, output: content(started.output, report.stdoutBytes),
            error: content(started.error, report.stderrBytes))
    }

    /// Waits until a file has these bytes, told by the spooler.
    func waitForOutput(_ id: String, atLeast count: UInt64) throws {
        let progress = try #require(progress)
        while outputBytes[id, default: 0] < count {
            var state = pollfd(fd: progress.descriptor.raw, events: Int16(POLLIN), revents: 0)
            guard poll(&state, 1, Self.limitMs) == 1, let message = try progress.receive(limit: 4_096) else {
                throw TestFailure("no output came")
            }
            let told = try SpoolProgress(decoding: message.bytes)
            outputBytes[told.id] = told.stdoutBytes
        }
    }

    /// The spooler has told all before its sandbox's end is told, and the next one may have the same id.
    private func forgetOutput(of id: String) {
        while let message = try? progress?.receive(limit: 4_096, waiting: false),
            let told = try? SpoolProgress(decoding: message.bytes)
        {
            outputBytes[told.id] = told.stdoutBytes
        }
        outputBytes[id] = nil
    }

    private func content(_ file: FileDescriptor, _ count: UInt64) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Int(count) + 1)
        let got = pread(file.raw, &bytes, bytes.count, 0)
        #expect(got == Int(count), "the report says \(count) bytes, the spool has \(got)")
        return Array(bytes[..<max(0, got)])
    }
}
