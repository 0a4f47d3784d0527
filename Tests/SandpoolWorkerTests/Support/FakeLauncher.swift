import Foundation
import Glibc
import LinuxSystem
import NIOConcurrencyHelpers
import SandpoolModel
import SandpoolSandbox

@testable import SandpoolWorker

/// The launcher's side of its protocol over a real socket. A sandbox is its output in a file, and ends when the test
/// says so.
final class FakeLauncher: Sendable {
    private struct Connection: Sendable {
        var events: SeqPacketSocket?
        var progress: SeqPacketSocket?
    }

    let path: String
    /// What the worker asked for, in order.
    let requests: AsyncStream<LauncherRequest>
    private let asked: AsyncStream<LauncherRequest>.Continuation
    /// What the worker tells the spooler, in order.
    private let readings: AsyncStream<SpoolProgress>
    private let read: AsyncStream<SpoolProgress>.Continuation
    private let listener: SeqPacketSocket
    private let stdout: [UInt8]
    /// What a sandbox that attacks itself writes; it ends at once.
    private let findings: [UInt8]
    /// Whether it ends, and another one comes, when it is first asked for such a sandbox.
    private let losesFirstAttack: NIOLockedValueBox<Bool>
    private let connection = NIOLockedValueBox(Connection())
    /// The plans of execs, and what reads their standard input.
    let plans = NIOLockedValueBox<[String: ExecPlan]>([:])
    let inputs = NIOLockedValueBox<[String: FileDescriptor]>([:])

    /// - Parameter stdout: what every sandbox writes.
    init(path: String, stdout: [UInt8] = [], findings: [UInt8] = [], losesFirstAttack: Bool = false) throws {
        self.path = path
        self.stdout = stdout
        self.findings = findings
        self.losesFirstAttack = NIOLockedValueBox(losesFirstAttack)
        // Binding sets the whole process's umask for a moment, and suites beside this one make private directories.
        listener = try SeqPacketSocket.listen(path: path, mode: 0o700)
        (requests, asked) = AsyncStream.makeStream()
        (readings, read) = AsyncStream.makeStream()
        Thread.detachNewThread { [self] in
            while let socket = try? listener.accept() { try? serve(socket) }
            asked.finish()
            read.finish()
        }
    }

    /// Until the worker closes it.
    private func listen(to progress: SeqPacketSocket) {
        Thread.detachNewThread { [self] in
            while let message = try? progress.receive(limit: 128) {
                guard let told = try? SpoolProgress(decoding: message.bytes) else { return }
                read.yield(told)
            }
        }
    }

    func stop() { shutdown(listener.descriptor.raw, Int32(SHUT_RDWR)) }

    private func serve(_ socket: SeqPacketSocket) throws {
        while let message = try socket.receive(limit: LauncherProtocol.messageLimit) {
            let request = try LauncherRequest(decoding: message.bytes)
            switch request {
            case .hello:
                let (ours, theirs) = try SeqPacketSocket.pair()
                connection.withLockedValue { $0 = Connection(events: socket, progress: ours) }
                listen(to: ours)
                try socket.send(
                    LauncherEvent.welcome(
                        version: LauncherProtocol.version, bootID: "boot", hostFingerprint: "f",
                        makesDisks: false, instance: "i"
                    ).encoded(), [theirs.descriptor])
            case .listLayers:
                try socket.send(LauncherEvent.layers([]).encoded())
            case .importLayer(let layer):
                try socket.send(LauncherEvent.layerReady(layer: layer, bytes: 1).encoded())
            case .start(let id):
                let isAttack = id.hasPrefix("verify-")
                if isAttack, isLostAttack() { return hangUp() }
                let spools = [
                    try SealedFile.make(isAttack ? findings : stdout, name: "stdout"),
                    try SealedFile.make([], name: "stderr"),
                ]
                let event = LauncherEvent.started(id: id, startedBoottimeMs: BoottimeClock.milliseconds())
                try socket.send(event.encoded(), spools)
                guard isAttack else { break }
                let report = ExitReport(end: .exited(code: 0), reason: .none, stdoutBytes: UInt64(findings.count))
                try socket.send(LauncherEvent.exited(id: id, report: report).encoded())
            case .exec(let id, _):
                guard let file = message.descriptors.first else { throw WorkerError("an exec without its plan") }
                let plan = try ExecPlan(decoding: try file.readAll(limit: LauncherProtocol.planLimit))
                plans.withLockedValue { $0[id] = plan }
                try start(plan, over: socket)
            default: break
            }
            asked.yield(request)
        }
    }

    private func isLostAttack() -> Bool {
        losesFirstAttack.withLockedValue { isLost in
            defer { isLost = false }
            return isLost
        }
    }

    /// Says that an exec runs. A program that is not there fails as it does in a sandbox.
    private func start(_ plan: ExecPlan, over socket: SeqPacketSocket) throws {
        guard plan.arguments.first != "nowhere" else {
            let failure = SandboxFailure(
                stage: "exec", errno: ENOENT, message: "nowhere: command not found", kind: .commandNotFound)
            return try socket.send(LauncherEvent.failed(id: plan.id, failure: failure).encoded())
        }
        var descriptors = [try SealedFile.make(stdout, name: "stdout"), try SealedFile.make([], name: "stderr")]
        if plan.stdin == .pipe {
            let pipe = try LinuxSystem.Pipe()
            inputs.withLockedValue { $0[plan.id] = pipe.readEnd }
            descriptors += [pipe.writeEnd, try MemoryFile.make("input")]
        }
        let event = LauncherEvent.started(id: plan.id, startedBoottimeMs: BoottimeClock.milliseconds())
        try socket.send(event.encoded(), descriptors)
    }

    /// Breaks the connection off, as a launcher that ends does.
    func hangUp() {
        connection.withLockedValue { connection in
            if let events = connection.events { shutdown(events.descriptor.raw, Int32(SHUT_RDWR)) }
        }
    }

    /// The spooler's word that output arrived.
    func tellOutput<Kind>(of id: Identifier<Kind>, stdout bytes: Int) throws {
        let progress = SpoolProgress(id: id.text, stdoutBytes: UInt64(bytes), stderrBytes: 0)
        try connection.withLockedValue { $0.progress }?.send(progress.encoded())
    }

    /// The next word of the worker's to the spooler.
    func toldRead() async throws -> SpoolProgress {
        for await progress in readings { return progress }
        throw WorkerError("the worker never told")
    }

    func exit<Kind>(
        _ id: Identifier<Kind>, _ end: ExitReport.End = .exited(code: 0), stdout bytes: Int = 0
    ) throws {
        let report = ExitReport(end: end, reason: .none, stdoutBytes: UInt64(bytes))
        try connection.withLockedValue { $0.events }?.send(LauncherEvent.exited(id: id.text, report: report).encoded())
    }

    /// Waits until the worker asks for something in particular.
    func request(_ isWanted: (LauncherRequest) -> Bool) async throws {
        for await request in requests where isWanted(request) { return }
        throw WorkerError("the worker never asked")
    }
}
