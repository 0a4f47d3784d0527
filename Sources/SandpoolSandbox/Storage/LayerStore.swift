import Glibc
import LinuxSystem

/// Layers: directories with ids from 0, each complete under its name or not there at all.
///
/// Archives are unpacked by a sandbox that sees the new directory and nothing else of the host's storage, so a
/// hostile archive meets what a hostile command meets.
final class LayerStore {
    private unowned let launcher: Launcher
    private let layers: FileDescriptor
    private(set) var removals: UInt64
    private var importing: Set<String> = []

    private static let halfSuffix = ".half"
    private static let removedSuffix = ".removed"
    private static let timeoutMs: UInt64 = 3_600_000
    /// Devices cannot be made in a sandbox and would not work in one; the sandbox has its own `/dev`. In one with no
    /// id but its root's, everything is root's. The size is the answer, and everything is on disk before the layer
    /// has its name.
    private static func script(_ ids: IdSpace) -> String {
        """
        tar -x --numeric-owner \(ids.count > 1 ? "--same-owner" : "--no-same-owner") -p --xattrs --anchored \
        --exclude='./dev/*' --exclude='dev/*' -C /layer \
        && sync -f /layer && du -s --apparent-size --block-size=1 /layer | cut -f1
        """
    }

    /// - Parameter removals: of the launcher before, whose children may still remove some.
    init(_ launcher: Launcher, removals: UInt64? = nil) throws(SystemError) {
        self.launcher = launcher
        layers = launcher.data.layers
        self.removals = removals ?? 0
        if removals != nil { return }
        for name in try DirectoryListing.names(in: layers) where name.contains(".") {
            try TreeRemoval.remove(name, in: layers)
        }
    }

    func names() throws(SystemError) -> [String] {
        try DirectoryListing.names(in: layers).filter { PlanValidation.isName($0) }.sorted()
    }

    func importLayer(_ name: String, _ message: SeqPacketSocket.Message) {
        do throws(StageError) {
            if message.lostDescriptors { throw StageError.noDescriptors }
            guard PlanValidation.isName(name) else { throw StageError("layer", "\(name) is no layer id") }
            guard let archive = message.descriptors.first else {
                throw StageError("layer", "no archive came with importLayer")
            }
            guard faccessat(layers.raw, name, F_OK, 0) != 0 else { throw StageError("layer", "layer \(name) exists") }
            guard importing.insert(name).inserted else { throw StageError("layer", "layer \(name) is being imported") }
            do throws(StageError) {
                try unpack(name, archive)
            } catch {
                importing.remove(name)
                throw error
            }
        } catch {
            launcher.tell(.layerFailed(layer: name, message: error.failure.message), [])
        }
    }

    private func unpack(_ name: String, _ archive: FileDescriptor) throws(StageError) {
        let half = name + Self.halfSuffix
        let input = try stage("archive") { () throws(SystemError) in
            try TreeRemoval.remove(half, in: layers)
            try layers.makeDirectory(half, mode: 0o755)
            // Opened again: the sandbox reads from the start, and cannot write into the worker's file.
            return try FileDescriptor.open("/proc/self/fd/\(archive.raw)", O_RDONLY)
        }
        var job = Launcher.LauncherJob(standardInput: input)
        job.attachments = { [layers] slot throws(StageError) in
            try stage("layer") { () throws(SystemError) in
                let mount = try Mount.copy(of: layers.raw, half)
                try mount.setAttributes([.noSetUID, .noDevices], idMap: try slot.shownIDs())
                return [Attachment(mount: mount, path: "layer", place: .directory)]
            }
        }
        job.onEnd = { [unowned self] in finish(name, $0) }
        let plan = OwnSandbox.plan(
            id: "import.\(name)", script: Self.script(launcher.rights.ids), timeoutMs: Self.timeoutMs)
        do throws(StageError) {
            try launcher.make(plan, job)
        } catch {
            // Empty: nothing was unpacked.
            _ = unlinkat(layers.raw, half, AT_REMOVEDIR)
            throw error
        }
    }

    private func finish(_ name: String, _ end: JobEnd) {
        importing.remove(name)
        let half = name + Self.halfSuffix
        guard end.trouble == nil, case .ended(_, let output, _) = end else {
            removeInBackground(half)
            return launcher.tell(.layerFailed(layer: name, message: end.trouble ?? "failed"), [])
        }
        guard renameat(layers.raw, half, layers.raw, name) == 0, fsync(layers.raw) == 0 else {
            let why = String(cString: strerror(errno))
            removeInBackground(half)
            return launcher.tell(.layerFailed(layer: name, message: "layer \(name): \(why)"), [])
        }
        let bytes = UInt64(output.text.filter(\.isNumber)) ?? 0
        launcher.tell(.layerReady(layer: name, bytes: bytes), [])
    }

    /// A layer that a sandbox uses stays, and so does one that is not there.
    func remove(_ name: String) {
        guard PlanValidation.isName(name), !launcher.usesLayer(name) else { return }
        do throws(SystemError) {
            for slot in launcher.factory.slots.all { try slot.detach("layer-\(name)") }
            removals += 1
            let removed = "\(name).\(removals)\(Self.removedSuffix)"
            try systemCall("rename layer \(name)") { renameat(layers.raw, name, layers.raw, removed) }
            removeInBackground(removed)
        } catch {
            if error.code != ENOENT { Diagnostics.write("remove layer \(name): \(error)") }
        }
    }

    /// A big tree takes seconds, which deadlines do not have: a child does it. What it leaves is swept at the
    /// next start.
    private func removeInBackground(_ name: String) {
        let layers = layers
        do throws(SystemError) {
            let child = try ChildProcess.clone {
                try? ProcessControl.killWhenParentEnds()
                // What else the launcher has open, such as the input of a sandbox, would not end while this runs.
                guard let layers = try? layers.keepAlone() else { _exit(1) }
                try? TreeRemoval.remove(name, in: layers)
                _exit(0)
            }
            try launcher.loop.reapAtEnd(child)
        } catch {
            Diagnostics.write("remove \(name): \(error)")
        }
    }
}

extension Launcher {
    func usesLayer(_ name: String) -> Bool {
        sandboxes.values.contains { sandbox in
            guard sandbox.isUnderWay || sandbox.downloadSink != nil else { return false }
            if case .layers(let layers) = sandbox.plan.root, layers.contains(name) { return true }
            return sandbox.plan.mounts.contains { $0.layer == name }
        }
    }
}
