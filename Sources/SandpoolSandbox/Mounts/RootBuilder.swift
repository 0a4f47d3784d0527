import Glibc
import LinuxSystem

/// Lays a sandbox's root: the overlay of its image, what is mounted over it, and its uploaded trees.
struct RootBuilder {
    let data: DataDirectory
    let skeleton: HostSkeleton
    let devices: DeviceTree
    let host: FileDescriptor

    struct Root {
        var mount: Mount
        var attachments: [Attachment]
    }

    func make(_ plan: SandboxPlan, _ slot: Slot, _ writable: WritableLayer) throws(StageError) -> Root {
        let lowers = try lowers(of: plan.root, slot)
        let overlay = try stage("overlay") { () throws(SystemError) in try writable.overlay(lowers) }
        var attachments: [Attachment] = []
        if plan.root == .host { attachments += try programs(slot, writable, makingLocal: true) }
        try stage("mounts") { () throws(SystemError) in
            attachments.append(Attachment(mount: try devices.copy(), path: "dev", place: .own))
            attachments.append(Attachment(mount: try writable.sharedMemory(), path: "dev/shm", place: .own))
            attachments.append(try temporaryFiles(writable))
        }
        for (index, mount) in plan.mounts.enumerated() {
            let lower = try lower(mount.layer, slot)
            attachments.append(try treeMount(mount, index, lower, writable))
        }
        return Root(mount: overlay, attachments: attachments)
    }

    /// The same tree when the sandbox is gone, read-only, to be attached at `base` of another.
    func makeForReading(
        _ plan: SandboxPlan, _ slot: Slot, _ writable: WritableLayer, at base: String
    ) throws(StageError) -> [Attachment] {
        let lowers = try lowers(of: plan.root, slot)
        var attachments = try stage("overlay") { () throws(SystemError) in
            [Attachment(mount: try writable.readOnlyOverlay(lowers), path: base, place: .directory)]
        }
        if plan.root == .host {
            for var attachment in try programs(slot, writable, makingLocal: false) {
                attachment.base = base
                attachment.place = .directory
                attachments.append(attachment)
            }
        }
        attachments.append(try stage("mounts") { () throws(SystemError) in try temporaryFiles(writable, at: base) })
        for (index, mount) in plan.mounts.enumerated() {
            let lower = try lower(mount.layer, slot)
            let path = String(mount.path.drop { $0 == "/" })
            try stage("mount \(mount.path)") { () throws(SystemError) in
                let name = WritableLayer.name(ofMount: index)
                let source =
                    mount.isFile
                    ? try writable.bind("\(name)/content")
                    : try writable.readOnlyOverlay([lower], upper: "\(name)/upper")
                attachments.append(
                    Attachment(mount: source, path: path, base: base, place: mount.isFile ? .file : .directory))
            }
        }
        return attachments
    }

    /// `/tmp` is the writable layer itself and no overlay: nothing is below it, and an overlay on two file systems
    /// tells another inode number for a directory's entry than stat(2) does.
    private func temporaryFiles(_ writable: WritableLayer, at base: String = "") throws(SystemError) -> Attachment {
        Attachment(mount: try writable.bind("tmp"), path: "tmp", base: base, place: .directory)
    }

    /// Topmost first, as overlay wants them.
    private func lowers(of root: SandboxPlan.Root, _ slot: Slot) throws(StageError) -> [String] {
        switch root {
        case .host:
            return try stage("host image") { () throws(SystemError) in
                [try slot.lower("host", of: data.skeletons, skeleton.hostName)]
            }
        case .scratch:
            return try stage("scratch image") { () throws(SystemError) in
                [try slot.lower("scratch", of: data.skeletons, skeleton.scratchName)]
            }
        case .layers(let layers):
            var lowers: [String] = []
            for layer in layers.reversed() { lowers.append(try lower(layer, slot)) }
            return lowers
        }
    }

    /// The host's `/usr`, and the sandbox's own `/usr/local` over the host's.
    private func programs(
        _ slot: Slot, _ writable: WritableLayer, makingLocal: Bool
    ) throws(StageError) -> [Attachment] {
        try stage("host image") { () throws(SystemError) in
            let programs = try slot.lower("usr", of: host, "usr")
            if makingLocal { try writable.makeDirectory("local") }
            return [
                Attachment(
                    mount: try Mount.copy(of: FileDescriptor.currentDirectory, programs), path: "usr", place: .own),
                Attachment(mount: try writable.bind("local"), path: "usr/local", place: .own),
            ]
        }
    }

    private func lower(_ layer: String, _ slot: Slot) throws(StageError) -> String {
        do throws(SystemError) {
            return try slot.lower("layer-\(layer)", of: data.layers, layer)
        } catch {
            let why = error.code == ENOENT ? "layer \(layer) is not in storage" : "layer \(layer): \(error)"
            throw StageError("layer", why, code: error.code)
        }
    }

    private func treeMount(
        _ mount: SandboxPlan.TreeMount, _ index: Int, _ lower: String, _ writable: WritableLayer
    ) throws(StageError) -> Attachment {
        let path = String(mount.path.drop { $0 == "/" })
        // A file that does not fit the disk limit fits it nowhere.
        let kind = { (code: Int32) -> SandboxFailure.Kind in code == ENOSPC || code == EDQUOT ? .spec : .setup }
        return try stage("mount \(mount.path)", kind: kind) { () throws(SystemError) in
            let name = WritableLayer.name(ofMount: index)
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
}
