import LinuxSystem

/// What the child of the clone needs to become a sandbox. It holds every descriptor open by itself: the child
/// has a copy of all the launcher's.
struct SandboxBirth {
    var plan: SandboxPlan
    var composition: Composition
    /// Where the command is, when it is not in the plan.
    var sealed: SealedPlan<SandboxPlan>?
    /// Which ids it has.
    var ids: IdSpace
    /// The overlay.
    var root: Mount
    var attachments: [Attachment]
    var processFiles: ProcessFiles
    /// Files of version 1 cgroups to join (`SandboxCgroup.joinFiles`).
    var cgroupFiles: [FileDescriptor]
    /// One byte arrives when the ids are set; the end of the pipe means that the launcher died.
    var go: FileDescriptor
    /// Receives `FailurePipe.executing` before the execve, and a `SandboxFailure` when there is no command.
    var failure: FileDescriptor
    /// Receives an `ExitStatusRecord` when the command ended.
    var status: FileDescriptor
    var standardInput: FileDescriptor
    var standardOutput: FileDescriptor
    var standardError: FileDescriptor
    var seccomp: SeccompFilter
    /// Bound on any file that the command writes, where there is one.
    var fileSizeLimit: UInt64?
}

/// A mount and its place in the root.
struct Attachment {
    enum Place {
        /// A directory of the overlay's own upper layer, or of a mount before it: no image can redirect it.
        case own
        /// A directory of the image; it and those above it are made when missing.
        case directory
        /// A file of the image; it and the directories above it are made when missing.
        case file
    }

    var mount: Mount
    /// Without a leading slash; resolved as if `base` were the root.
    var path: String
    /// A directory of the root that an earlier attachment made, empty for the root itself.
    var base = ""
    var place: Place
}

/// How pid 1 tells the launcher what it reaped.
struct ExitStatusRecord: Equatable {
    var end: ExitReport.End

    var bytes: [UInt8] {
        var writer = ByteWriter()
        end.write(to: &writer)
        return writer.bytes
    }

    init(_ status: WaitStatus) {
        end = status.signal == 0 ? .exited(code: status.exitCode) : .signaled(signal: status.signal)
    }

    /// Nil when there is none, or not all of it: pid 1 was killed.
    init?(_ bytes: [UInt8]) {
        var reader = ByteReader(bytes)
        guard let end = try? ExitReport.End(from: &reader) else { return nil }
        self.end = end
    }
}
