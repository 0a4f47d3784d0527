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
    /// Set as long as what takes time to begin waits; called when too much waits.
    private var isOverfull: (() -> Void)?
    private var held: [(request: LauncherRequest, message: SeqPacketSocket.Message)] = []
    /// Requests that may wait; each has two descriptors at most.
    private static let heldLimit = 512

    /// - Parameter earlier: of the program before in this process, if there was one.
    init(_ launcher: Launcher, keepsSandboxes: Bool, after earlier: LauncherState? = nil) throws(SystemError) {
        self.launcher = launcher
        self.keepsSandboxes = keepsSandboxes
        layers = try LayerStore(launcher, removals: earlier?.layerRemovals)
        let random = try FileDescriptor.open("/proc/sys/kernel/random", O_PATH | O_DIRECTORY)
        bootID = try random.read("boot_id").filter { !$0.isWhitespace }
        if let earlier {
            instance = earlier.service.instance
        } else {
            // A new one at each reading (random(4)).
            instance = try random.read("uuid").filter { !$0.isWhitespace }
        }
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
            // With its worker nobody wants a further command any more.
            held.removeAll { $0.request.isExec }
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
        // Without its descriptors it can only be refused.
        if hasToWait(request), !message.lostDescriptors {
            if held.count < Self.heldLimit { return held.append((request, message)) }
            isOverfull?()
        }
        perform(request, message)
    }

    private func perform(_ request: LauncherRequest, _ message: SeqPacketSocket.Message) {
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
                    version: LauncherProtocol.version, bootID: bootID, hostFingerprint: launcher.skeleton.fingerprint,
                    makesDisks: launcher.makesDisks, instance: instance),
                [own.descriptor])
            for sandbox in launcher.sandboxes.values { adopt(sandbox) }
            for id in held.compactMap(\.request.sandbox) { link?.send(.starting(id: id)) }
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

    // MARK: Upgrade

    /// From now on starts wait, and whatever speaks of what waits.
    ///
    /// - Parameter isOverfull: has to call `goOn`.
    func holdBack(_ isOverfull: @escaping () -> Void) { self.isOverfull = isOverfull }

    /// Does what has waited, in its order.
    func goOn() {
        isOverfull = nil
        let waiting = held
        held = []
        for (request, message) in waiting { perform(request, message) }
    }

    private func hasToWait(_ request: LauncherRequest) -> Bool {
        guard isOverfull != nil else { return false }
        switch request {
        case .start, .exec, .importLayer: return true
        case .removeLayer, .listLayers: return !held.isEmpty
        case .signal(let id, _), .closeInput(let id), .cancel(let id, _), .release(let id):
            return held.contains { $0.request.started == id }
        case .hello, .dismiss: return false
        }
    }

    /// What has to be over before it can be handed over; nil when there is nothing.
    var unsettled: String? {
        guard let link else { return nil }
        if !link.isConnected { return "the worker is gone" }
        return link.isUpToDate ? nil : "the worker does not read"
    }

    var layerRemovals: UInt64 { layers.removals }

    func state(_ listener: LauncherListener) -> LauncherState.ServiceState {
        LauncherState.ServiceState(
            instance: instance, listener: listener.socket.descriptor.raw, isDismissed: isDismissed,
            worker: link.map { link in
                LauncherState.ServiceState.Worker(
                    socket: link.socket.descriptor.raw, version: greeted ? LauncherProtocol.version : nil)
            },
            held: held.map { _, message in
                LauncherState.ServiceState.Request(
                    bytes: message.bytes, descriptors: message.descriptors.map(\.raw))
            })
    }

    /// Goes on with the worker of the program before.
    func takeOver(_ state: LauncherState.ServiceState, _ inherited: InheritedDescriptors) throws {
        isDismissed = state.isDismissed
        if let worker = state.worker {
            try serve(SeqPacketSocket(try inherited.take(worker.socket)))
            greeted = worker.version != nil
        }
        held = try state.held.map { request in
            let descriptors = try request.descriptors.map { number throws(SystemError) in try inherited.take(number) }
            return (
                try LauncherRequest(decoding: request.bytes),
                SeqPacketSocket.Message(bytes: request.bytes, descriptors: descriptors)
            )
        }
        if let version = state.worker?.version, version != LauncherProtocol.version {
            // It finds everything when it comes back, and hears then what is spoken here.
            link?.close("protocol version \(version), and this launcher speaks \(LauncherProtocol.version)")
        }
        goOn()
    }
}

extension LauncherRequest {
    /// The id of what it starts.
    fileprivate var started: String? {
        switch self {
        case .start(let id), .exec(let id, _): id
        default: nil
        }
    }

    /// The id of the sandbox that it starts.
    fileprivate var sandbox: String? { if case .start(let id) = self { id } else { nil } }

    fileprivate var isExec: Bool { if case .exec = self { true } else { false } }
}
