import Glibc
import LinuxSystem

/// Makes everything a plan asks for, up to a process that waits to become the sandbox's pid 1 and is let go.
/// What was made before a failure is taken back.
final class SandboxFactory {
    let slots: SlotStore
    let roots: RootBuilder
    private let network: any NetworkProvider
    private let workshop: MountWorkshop
    private let cgroups: CgroupTree
    private let ownNetwork: FileDescriptor
    private let nullDevice: FileDescriptor
    private let runFilter = SandboxFilter.make(.run)
    private let buildFilter = SandboxFilter.make(.build)
    private let rights: HostRights
    private let processFiles: ProcessFiles
    private let composition: Composition
    /// Called with the cgroup of a start that failed, when a dying process still holds it.
    var onRemainder: (SandboxCgroup) -> Void = { _ in }

    init(
        rights: HostRights, data: DataDirectory, workshop: MountWorkshop, skeleton: HostSkeleton, cgroups: CgroupTree,
        network: any NetworkProvider, _ composition: Composition
    ) throws(SystemError) {
        self.rights = rights
        self.composition = composition
        self.workshop = workshop
        self.cgroups = cgroups
        self.network = network
        slots = SlotStore(ids: rights.ids, run: workshop.run, showsIDs: composition.has(.shownIDs))
        roots = RootBuilder(
            data: data, skeleton: skeleton, devices: try DeviceTree(in: workshop.run, rights),
            host: try FileDescriptor.open("/", O_PATH | O_DIRECTORY))
        ownNetwork = try FileDescriptor.open("/proc/self/ns/net", O_RDONLY)
        nullDevice = try FileDescriptor.open("/dev/null", O_RDWR)
        processFiles = try ProcessFiles()
    }

    /// What a sandbox has beside its plan.
    struct Extras {
        /// The write ends of the pipes to the spooler.
        var standardOutput: FileDescriptor
        var standardError: FileDescriptor
        /// In place of what the plan says, for the launcher's own sandboxes.
        var standardInput: FileDescriptor?
        var attachments: (Slot) throws(StageError) -> [Attachment] = { (_) throws(StageError) in [] }
        var fileSizeLimit: UInt64?
        /// Of a sandbox that has ended and is not taken down yet; else one is taken.
        var slot: Slot?
        var disk: WritableDisk?
        /// Else one is taken.
        var network: NetworkLease?
        /// Where the command is, when it is not in the plan.
        var sealed: SealedPlan<SandboxPlan>?
    }

    struct Made {
        var resources: RunningSandbox.Resources
        var standardInput: StandardInput?
    }

    func make(_ plan: SandboxPlan, _ extras: Extras) throws(StageError) -> Made {
        let slot = try stage("slot") { () throws(SystemError) in
            if let slot = extras.slot { return slot }
            return try slots.take()
        }
        do throws(StageError) {
            if let lease = extras.network { return try make(plan, slot, lease, extras) }
            let lease: NetworkLease
            do throws(NetworkError) { lease = try network.take(plan.network, sandbox: plan.id) } catch {
                throw StageError(error)
            }
            do throws(StageError) {
                return try make(plan, slot, lease, extras)
            } catch {
                network.giveBack(lease)
                throw error
            }
        } catch {
            if extras.slot == nil { slots.giveBack(slot) }
            throw error
        }
    }

    /// A process that joins a sandbox and starts one more command there.
    func makeExec(
        _ plan: ExecPlan, _ sealed: SealedPlan<ExecPlan>, _ sandbox: RunningSandbox.Resources,
        _ capabilities: SandboxPlan.CapabilityProfile, output: FileDescriptor, error: FileDescriptor
    ) throws(StageError) -> (resources: RunningExec.Resources, standardInput: StandardInput?) {
        let cgroup = try stage("cgroup") { () throws(SystemError) in
            try sandbox.cgroup.makeChild(Self.execCgroup(plan.id))
        }
        do throws(StageError) {
            return try makeExec(plan, sealed, sandbox, cgroup, capabilities, output: output, error: error)
        } catch {
            // Nothing was ever in it.
            _ = cgroup.remove()
            if cgroup.division != nil { sandbox.cgroup.endDivision() }
            throw error
        }
    }

    private func makeExec(
        _ plan: ExecPlan, _ sealed: SealedPlan<ExecPlan>, _ sandbox: RunningSandbox.Resources, _ cgroup: ExecCgroup,
        _ capabilities: SandboxPlan.CapabilityProfile, output: FileDescriptor, error: FileDescriptor
    ) throws(StageError) -> (resources: RunningExec.Resources, standardInput: StandardInput?) {
        let (failure, input, standardInput) = try stage("pipes") { () throws(SystemError) in
            let input = plan.stdin == .pipe ? try Pipe() : nil
            let standardInput: StandardInput? = if let input { try StandardInput(input) } else { nil }
            return (try Pipe(), input, standardInput)
        }
        let cgroupFiles = try stage("cgroup") { () throws(SystemError) in try cgroup.joinFiles() }
        let number = try stage("memory") { () throws(SystemError) in try SharedProcessNumber() }
        let birth = ExecBirth(
            plan: plan, sealed: sealed, capabilities: capabilities, ids: rights.ids, namespaces: sandbox.namespaces,
            division: cgroup.division, cgroupFiles: cgroupFiles, number: number, failure: failure.writeEnd,
            standardInput: input?.readEnd ?? nullDevice, standardOutput: output, standardError: error,
            seccomp: filter(capabilities))
        let child = try addingProcess { () throws(SystemError) in
            try ChildProcess.clone([], into: cgroup.cloneTarget) { ExecProcess.run(birth) }
        }
        let resources = RunningExec.Resources(
            cgroup: cgroup, failure: failure.readEnd, joining: child, number: number)
        return (resources, standardInput)
    }

    /// The name of a further command's cgroup, below its sandbox's.
    static func execCgroup(_ id: String) -> String { "exec-\(id)" }

    private func filter(_ capabilities: SandboxPlan.CapabilityProfile) -> SeccompFilter {
        capabilities == .build ? buildFilter : runFilter
    }

    func takeBack(_ resources: RunningSandbox.Resources) {
        network.giveBack(resources.network)
        if resources.ownsSlot { slots.giveBack(resources.slot) }
    }

    private func make(
        _ plan: SandboxPlan, _ slot: Slot, _ lease: NetworkLease, _ extras: Extras
    ) throws(StageError) -> Made {
        if let reason = rights.unlimitedBecause, !plan.leavesOutLimits {
            throw StageError("cgroup", "memory, processes and processor cannot be limited: \(reason)", kind: .spec)
        }
        let cgroup = try stage("cgroup") { () throws(SystemError) in
            do throws(SystemError) {
                return try SandboxCgroup(cgroups, name: plan.id, limits: plan.limits)
            } catch  where error.code == ENOENT {
                try? cgroups.renew()
                return try SandboxCgroup(cgroups, name: plan.id, limits: plan.limits)
            }
        }
        var first: ChildProcess?
        do throws(StageError) {
            let writable = try stage("writable layer") { () throws(SystemError) in
                let layer = try WritableLayer(
                    limits: plan.limits, on: extras.disk, base: slot.base,
                    keptAs: plan.downloads.isEmpty ? nil : plan.id, in: workshop)
                if composition.has(.generatedFiles) {
                    try layer.addGenerated(hostname: plan.hostname, network: lease)
                }
                return layer
            }
            let root = try roots.make(plan, slot, writable)
            let attachments = try root.attachments + extras.attachments(slot)
            if plan.downloads.isEmpty { writable.detach() }
            let pipes = try stage("pipes") { () throws(SystemError) in try Pipes(plan.stdin) }
            let cgroupFiles = try stage("cgroup") { () throws(SystemError) in try cgroup.joinFiles() }
            let birth = SandboxBirth(
                plan: plan, composition: composition, sealed: extras.sealed, ids: rights.ids, root: root.mount,
                attachments: attachments, processFiles: processFiles, cgroupFiles: cgroupFiles, go: pipes.go.readEnd,
                failure: pipes.failure.writeEnd, status: pipes.status.writeEnd,
                standardInput: extras.standardInput ?? pipes.input?.readEnd ?? nullDevice,
                standardOutput: extras.standardOutput, standardError: extras.standardError,
                seccomp: filter(plan.capabilities),
                fileSizeLimit: extras.fileSizeLimit)
            // Held by this process alone from here on: the child sees its end when the launcher dies.
            let go = pipes.go.writeEnd
            let child = try stage("clone") { () throws(SystemError) in
                try workshop.clone(
                    composition.cloned, network: lease.namespace, ownNetwork: ownNetwork, into: cgroup.cloneTarget
                ) {
                    close(go.raw)
                    SandboxInit.run(birth)
                }
            }
            first = child
            let namespaces = try stage("user namespace") { () throws(SystemError) in
                try IdMap.write(rights.ids.map(base: slot.base), for: child)
                return rights.hides
                    ? .ofFirst(child.descriptor)
                    : try SandboxNamespaces.hold(child, network: lease.namespace)
            }
            try stage("start") { () throws(SystemError) in try go.writeAll([1]) }
            return Made(
                resources: RunningSandbox.Resources(
                    slot: slot, ownsSlot: extras.slot == nil, cgroup: cgroup, writable: writable, network: lease,
                    first: child, namespaces: namespaces, go: go,
                    failure: pipes.failure.readEnd, status: pipes.status.readEnd),
                standardInput: pipes.standardInput)
        } catch {
            if let first {
                try? first.send(SIGKILL)
                _ = try? first.reap()
            }
            if !cgroup.remove() { onRemainder(cgroup) }
            throw error
        }
    }

    private struct Pipes {
        let go: Pipe
        let failure: Pipe
        let status: Pipe
        let input: Pipe?
        let standardInput: StandardInput?

        init(_ stdin: SandboxPlan.StandardInput) throws(SystemError) {
            go = try Pipe()
            failure = try Pipe()
            status = try Pipe()
            let input = stdin == .pipe ? try Pipe() : nil
            self.input = input
            standardInput = if let input { try StandardInput(input) } else { nil }
        }
    }
}
