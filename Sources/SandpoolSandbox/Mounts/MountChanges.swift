import Glibc
import LinuxSystem

/// Which of its uploaded mounts a sandbox wrote to: one look at the top of each, whatever lies below.
extension WritableLayer {
    /// Where a mount's own files are in the layer.
    static func name(ofMount index: Int) -> String { "mount-\(index)" }

    /// A bit for each mount, by its place in the plan. A write is known by what the mount's own layer has, or for
    /// a file by its size and time; a change of nothing but a mode is not seen.
    func changedMounts(_ mounts: [SandboxPlan.TreeMount]) -> UInt64 {
        var changed: UInt64 = 0
        for (index, mount) in mounts.enumerated().prefix(UInt64.bitWidth) {
            let name = Self.name(ofMount: index)
            let isChanged =
                mount.isFile
                ? hasChanged("\(name)/content")
                : hasEntries("\(name)/upper", except: Self.places(of: mounts, in: mount))
            if isChanged { changed |= 1 << UInt64(index) }
        }
        return changed
    }

    /// What the sandbox's start itself makes in a mount: the way to another mount below it.
    private static func places(of mounts: [SandboxPlan.TreeMount], in mount: SandboxPlan.TreeMount) -> Set<String> {
        let base = mount.path.split(separator: "/")
        return Set(
            mounts.compactMap { other in
                let path = other.path.split(separator: "/")
                return path.count > base.count && path.starts(with: base) ? String(path[base.count]) : nil
            })
    }
}
