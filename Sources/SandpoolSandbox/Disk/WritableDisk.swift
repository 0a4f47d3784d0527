import Glibc
import LinuxSystem

/// Where a sandbox's writable layer is that does not fit its memory.
enum WritableDisk {
    case image(DiskImage)
    case project(ProjectDirectory)

    var mount: Mount {
        switch self {
        case .image(let image): image.mount
        case .project(let project): project.mount
        }
    }

    var kind: WritableLayerKind {
        switch self {
        case .image: .loop
        case .project: .projectQuota
        }
    }

    /// Why there is none.
    static func failure(_ error: SystemError, bytes: UInt64) -> StageError {
        let advice =
            switch error.code {
            case ENOSPC: "; the launcher's disk has no room for it"
            case EOPNOTSUPP: "; the launcher's data directory is on a file system without fallocate or O_TMPFILE"
            case ESRCH: "; quotas were switched off: switch them on again or restart the launcher, which does without"
            default: ""
            }
        return StageError("disk", "a disk of \(bytes) bytes: \(error)\(advice)", code: error.code)
    }
}
