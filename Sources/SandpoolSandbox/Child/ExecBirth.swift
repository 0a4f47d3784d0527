import LinuxSystem

/// What a process needs to start one more command in a sandbox. It holds every descriptor open by itself: the process
/// has a copy of all the launcher's.
struct ExecBirth {
    /// Without the command.
    var plan: ExecPlan
    var sealed: SealedPlan<ExecPlan>
    var capabilities: SandboxPlan.CapabilityProfile
    var ids: IdSpace
    var namespaces: SandboxNamespaces
    var division: CgroupDivision?
    /// Files of cgroups to join (`ExecCgroup.joinFiles`).
    var cgroupFiles: [FileDescriptor]
    /// Where the launcher finds the number of the command's process.
    var number: SharedProcessNumber
    /// Receives `FailurePipe.executing` before the execve, and a `SandboxFailure` when there is no command.
    var failure: FileDescriptor
    var standardInput: FileDescriptor
    var standardOutput: FileDescriptor
    var standardError: FileDescriptor
    var seccomp: SeccompFilter

    var streams: [FileDescriptor] { [standardInput, standardOutput, standardError] }

    var descriptors: [FileDescriptor] {
        streams + [sealed.descriptor, failure] + namespaces.descriptors + cgroupFiles
            + (division.map { [$0.whole, $0.main, $0.child] } ?? [])
    }
}
