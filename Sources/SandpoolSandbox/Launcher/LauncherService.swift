import CLinux
import Glibc
import LinuxSystem

/// The launcher as a service: connects one worker at a time to the sandboxes.
final class LauncherService {
    private let launcher: Launcher
    private var link: WorkerLink?
    private var greeted = false
    private let keepsSandboxes: Bool
    private let bootID: String
    /// Names this launcher among all that ever ran; as random as it takes, since a pid comes again.
    private let instance: String
    private let layers: LayerStore

    init(_ launcher: Launcher, keepsSandboxes: Bool) throws(SystemError) {
        self.launcher = launcher
        self.keepsSandboxes = keepsSandboxes
        layers = try LayerStore(launcher)
        let random = try FileDescriptor.open("/proc/sys/kernel/random", O_PATH | O_DIRECTORY)
        bootID = try random.read("boot_id").filter { !$0.isWhitespace }
        // A new one at each reading (random(4)).
        instance = try random.read("uuid").filter { !$0.isWhitespace }
        launcher.tell = { [unowned self] event, descriptors in
            if greeted { link?.send(event, descriptors) }
        }
        launcher.isHeard = { [unowned self] in greeted && hasWorker }
    }

    func serve(_ socket: SeqPacketSocket) throws(SystemError) {
        link?.readToEnd()
        link?.close()
        let link = try WorkerLink(socket, launcher.loop)
        link.onRequest = { [unowned self] request, message in handle(request, message) }
        link.onClose = { [unowned self, unowned link] in closed(link) }
        self.link = link
        greeted = false
    }

    /// Whether the last worker said that it needs no launcher any more.
    private(set) var isDismissed = false

    var hasWorker: Bool { link?.isConnected ?? false }

    private func closed(_ ended: WorkerLink) {
        launcher.loop.afterEvents { [unowned self] in
            if link === ended { link = nil }
            launcher.forgetExecs()
            if !keepsSandboxes { launcher.endAll() }
            launcher.onChange()
        }
    }

    private func handle(_ request: LauncherRequest, _ message: SeqPacketSocket.Message) {
        if case .hello(let version) = request { return greet(version) }
        guard greeted else {
            link?.send(.refused(message: "the first request is not hello"))
            link?.close("no hello")
            return
        }
        switch request {
        case .hello: break
        case .start(let id): start(id, message)
        case .signal(let id, let signal):
            if (1...64).contains(signal) { launcher.command(id)?.send(signal) }
        case .closeInput(let id): launcher.command(id)?.standardInput = nil
        case .cancel(let id, let graceMs):
            launcher.command(id).map { launcher.end($0, .cancelled, graceMs: graceMs) }
        case .release(let id): launcher.release(id)
        case .importLayer(let layer): layers.importLayer(layer, message)
        case .removeLayer(let layer): layers.remove(layer)
        case .listLayers: listLayers()
        case .exec(let id, let sandbox): exec(id, in: sandbox, message)
        case .dismiss:
            isDismissed = true
            launcher.onChange()
        }
    }

    /// A list that cannot be read is no empty list: the worker would take every layer for lost.
    private func listLayers() {
        do throws(SystemError) { launcher.tell(.layers(try layers.names()), []) } catch {
            link?.close("list layers: \(error)")
        }
    }

    private func start(_ id: String, _ message: SeqPacketSocket.Message) {
        do throws(StageError) {
            let sealed = try sealedPlan(in: message, of: SandboxPlan.self)
            let plan = try sealed.outline()
            guard plan.id == id else { throw StageError("plan", "the plan is of another sandbox", kind: .spec) }
            launcher.start(plan, sealed, downloadSink: message.descriptors.dropFirst().first)
        } catch {
            launcher.tell(.failed(id: id, failure: error.failure), [])
        }
    }

    private func exec(_ id: String, in sandbox: String, _ message: SeqPacketSocket.Message) {
        do throws(StageError) {
            let sealed = try sealedPlan(in: message, of: ExecPlan.self)
            let plan = try sealed.outline()
            guard plan.id == id else { throw StageError("plan", "the plan is of another command", kind: .spec) }
            launcher.exec(plan, sealed, in: sandbox)
        } catch {
            launcher.tell(.failed(id: id, failure: error.failure), [])
        }
    }

    private func sealedPlan<Plan>(
        in message: SeqPacketSocket.Message, of kind: Plan.Type
    ) throws(StageError) -> SealedPlan<Plan> {
        if message.lostDescriptors { throw StageError.noDescriptors }
        guard let first = message.descriptors.first else {
            throw StageError("plan", "no plan came with the request", kind: .spec)
        }
        return try SealedPlan(first)
    }

    private func greet(_ version: UInt32) {
        guard version == LauncherProtocol.version else {
            link?.send(
                .refused(
                    message: "protocol version \(version) is not known here, which speaks \(LauncherProtocol.version)"))
            link?.close("protocol version \(version)")
            return
        }
        do throws(SystemError) {
            let (own, theirs) = try SeqPacketSocket.pair()
            theirs.setBuffers(1 << 20)
            own.setBuffers(1 << 20)
            greeted = true
            isDismissed = false
            link?.send(
                .welcome(
                    version: LauncherProtocol.version, bootID: bootID, hostFingerprint: launcher.hostFingerprint,
                    makesDisks: launcher.makesDisks, instance: instance),
                [own.descriptor])
            for sandbox in launcher.sandboxes.values { adopt(sandbox) }
            // After `adopted`, so that the worker knows every sandbox that progress is told of.
            try launcher.spooler.notify(theirs.descriptor)
        } catch {
            link?.close("\(error)")
        }
    }

    private func adopt(_ sandbox: RunningSandbox) {
        if sandbox.onEnd != nil { return }
        switch sandbox.state {
        case .waiting, .starting: link?.send(.starting(id: sandbox.id))
        case .failed(let failure):
            link?.send(.starting(id: sandbox.id))
            link?.send(.failed(id: sandbox.id, failure: failure))
            launcher.release(sandbox.id)
        case .running, .draining, .ended:
            link?.send(.adopted(id: sandbox.id, startedBoottimeMs: sandbox.startedMs), sandbox.descriptors)
            if case .ended(let report) = sandbox.state { link?.send(.exited(id: sandbox.id, report: report)) }
        }
    }
}
