import Glibc
import LinuxSystem

/// Makes everything a plan asks for, up to a process that waits to become the sandbox's pid 1 and is let go.
/// What was made before a failure is taken back.
final class SandboxFactory {
    let slots: SlotStore
    let network: any NetworkProvider
    private let data: DataDirectory
    private let workshop: MountWorkshop
    private let devices: DeviceTree
    private let skeleton: HostSkeleton
    private let cgroups: CgroupTree
    private let ownNetwork: FileDescriptor
    private let host: FileDescriptor
    private let nullDevice: FileDescriptor
    private let seccomp = FirstFilter.make()

    init(
        data: DataDirectory, workshop: MountWorkshop, skeleton: HostSkeleton, cgroups: CgroupTree,
        network: any NetworkProvider
    ) throws(SystemError) {
        self.data = data
        self.workshop = workshop
        self.skeleton = skeleton
        self.cgroups = cgroups
        self.network = network
        slots = SlotStore(run: workshop.run)
        devices = try DeviceTree(in: workshop.run)
        ownNetwork = try FileDescriptor.open("/proc/self/ns/net", O_RDONLY)
        host = try FileDescriptor.open("/", O_PATH | O_DIRECTORY)
        nullDevice = try FileDescriptor.open("/dev/null", O_RDWR)
    }

    /// The pipes whose other ends the spooler gets.
    struct Output {
        var standardOutput: FileDescriptor
        var standardError: FileDescriptor
    }

    struct Made {
        var resources: RunningSandbox.Resources
        var standardInput: FileDescriptor?
    }

    func make(_ plan: SandboxPlan, output: Output) throws(StageError) -> Made {
        let slot = try stage("slot") { () throws(SystemError) in try slots.take() }
        do throws(StageError) {
            let lease = try takeNetwork(plan, slot)
            do throws(StageError) {
                return try make(plan, slot, lease, output)
            } catch {
                network.giveBack(lease)
                throw error
            }
        } catch {
            slots.giveBack(slot)
            throw error
        }
    }

    private func takeNetwork(_ plan: SandboxPlan, _ slot: Slot) throws(StageError) -> NetworkLease {
        do throws(NetworkError) {
            return try network.take(plan.network, slot: slot.index, sandbox: plan.id)
        } catch {
            throw StageError(
                "network", error.message, code: error.code, kind: error.isUnenforceable ? .spec : .setup)
        }
    }

    private func make(
        _ plan: SandboxPlan, _ slot: Slot, _ lease: NetworkLease, _ output: Output
    ) throws(StageError) -> Made {
        let cgroup = try stage("cgroup") { () throws(SystemError) in
            try SandboxCgroup(cgroups, name: plan.id, limits: plan.limits)
        }
        var first: ChildProcess?
        do throws(StageError) {
            let writable = try stage("writable layer") { () throws(SystemError) in
                let layer = try WritableLayer(limits: plan.limits, base: slot.base)
                try layer.addGenerated(hostname: plan.hostname, network: lease)
                return layer
            }
            let root = try writable.whileAttached { () throws(StageError) in
                try makeRoot(plan, slot, writable)
            }
            let pipes = try stage("pipes") { () throws(SystemError) in try Pipes(plan.stdin) }
            let birth = SandboxBirth(
                plan: plan, root: root.mount, attachments: root.attachments, go: pipes.go.readEnd,
                failure: pipes.failure.writeEnd, status: pipes.status.writeEnd,
                standardInput: pipes.input?.readEnd ?? nullDevice, standardOutput: output.standardOutput,
                standardError: output.standardError, seccomp: seccomp)
            // Held by this process alone from here on: the child sees its end when the launcher dies.
            let go = pipes.go.writeEnd
            let child = try stage("clone") { () throws(SystemError) in
                try workshop.clone(
                    [.user, .mount, .pid, .ipc, .uts], network: lease.namespace, ownNetwork: ownNetwork,
                    into: cgroup.cloneTarget
                ) {
                    close(go.raw)
                    SandboxInit.run(birth)
                }
            }
            first = child
            try stage("user namespace") { () throws(SystemError) in try IdMap.write(base: slot.base, for: child) }
            try stage("cgroup") { () throws(SystemError) in try cgroup.add(child.pid) }
            try stage("start") { () throws(SystemError) in try go.writeAll([1]) }
            return Made(
                resources: RunningSandbox.Resources(
                    slot: slot, cgroup: cgroup, writable: writable, network: lease, first: child, go: go,
                    failure: pipes.failure.readEnd, status: pipes.status.readEnd),
                standardInput: pipes.input?.writeEnd)
        } catch {
            if let first {
                try? first.send(SIGKILL)
                _ = try? first.reap()
            }
            _ = cgroup.remove()
            throw error
        }
    }

    private struct Pipes {
        let go: Pipe
        let failure: Pipe
        let status: Pipe
        let input: Pipe?

        init(_ stdin: SandboxPlan.StandardInput) throws(SystemError) {
            go = try Pipe()
            failure = try Pipe()
            status = try Pipe()
            input = stdin == .pipe ? try Pipe() : nil
        }
    }

    private func makeRoot(
        _ plan: SandboxPlan, _ slot: Slot, _ writable: WritableLayer
    ) throws(StageError) -> (mount: Mount, attachments: [Attachment]) {
        var lowers: [String] = []
        var attachments: [Attachment] = []
        switch plan.root {
        case .host:
            lowers = try stage("host image") { () throws(SystemError) in
                [try slot.lower("host", of: data.skeletons, skeleton.hostName)]
            }
            attachments += try stage("host image") { () throws(SystemError) in
                let programs = try slot.lower("usr", of: host, "usr")
                try writable.makeDirectory("local")
                return [
                    Attachment(
                        mount: try Mount.copy(of: FileDescriptor.currentDirectory, programs), path: "usr", place: .own),
                    Attachment(mount: try writable.bind("local"), path: "usr/local", place: .own),
                ]
            }
        case .scratch:
            lowers = try stage("scratch image") { () throws(SystemError) in
                [try slot.lower("scratch", of: data.skeletons, skeleton.scratchName)]
            }
        case .layers(let layers):
            for layer in layers.reversed() { lowers.append(try lower(layer, slot)) }
        }
        let root = try stage("overlay") { () throws(SystemError) in try writable.overlay(lowers) }
        try stage("mounts") { () throws(SystemError) in
            attachments.append(Attachment(mount: try devices.copy(), path: "dev", place: .own))
            attachments.append(Attachment(mount: try writable.bind("shm"), path: "dev/shm", place: .own))
        }
        for (index, mount) in plan.mounts.enumerated() {
            attachments.append(try treeMount(mount, index, slot, writable))
        }
        return (root, attachments)
    }

    private func lower(_ layer: String, _ slot: Slot) throws(StageError) -> String {
        do throws(SystemError) {
            return try slot.lower("layer-\(layer)", of: data.layers, layer)
        } catch {
            let missing = error.code == ENOENT ? "layer \(layer) is not in storage" : "layer \(layer): \(error)"
            throw StageError("layer", missing, code: error.code)
        }
    }

    private func treeMount(
        _ mount: SandboxPlan.TreeMount, _ index: Int, _ slot: Slot, _ writable: WritableLayer
    ) throws(StageError) -> Attachment {
        let lower = try lower(mount.layer, slot)
        let path = String(mount.path.drop { $0 == "/" })
        return try stage("mount \(mount.path)") { () throws(SystemError) in
            let name = "mount-\(index)"
            try writable.makeDirectory(name)
            if mount.isFile {
                try writable.copyFile("\(lower)/content", to: "\(name)/content")
                return Attachment(mount: try writable.bind("\(name)/content"), path: path, place: .file)
            }
            try writable.makeDirectory("\(name)/upper")
            try writable.makeDirectory("\(name)/work")
            let overlay = try writable.overlay([lower], upper: "\(name)/upper", work: "\(name)/work")
            return Attachment(mount: overlay, path: path, place: .directory)
        }
    }

    func takeBack(_ resources: RunningSandbox.Resources) {
        network.giveBack(resources.network)
        slots.giveBack(resources.slot)
    }
}
