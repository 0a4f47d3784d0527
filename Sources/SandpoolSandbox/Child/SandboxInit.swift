import CLinux
import Glibc
import LinuxSystem

/// The child of the launcher's clone: builds the inside of the sandbox, starts the command and stays as pid 1.
enum SandboxInit {
    static func run(_ birth: SandboxBirth) -> Never {
        do throws(StageError) {
            // From here on only `SignalLoop` looks at signals; the command gets an empty mask.
            SignalMask.block(SignalMask.all)
            SealedProgram.hideCommandLine()
            try stage("cgroup") { () throws(SystemError) in
                for file in birth.cgroupFiles { try file.writeAll([UInt8(ascii: "0")]) }
            }
            try waitForLauncher(birth)
            try SandboxMounts.enter(birth)
            if birth.composition.has(.utsNamespace) {
                try stage("hostname") { () throws(SystemError) in
                    let name = birth.plan.hostname
                    try systemCall("sethostname") { sethostname(name, name.utf8.count) }
                }
            }
            // Now that the process is in its cgroups, they become the root of what it can see.
            if birth.composition.has(.cgroupNamespace) {
                try stage("cgroup") { () throws(SystemError) in try Namespaces.cgroup.unshare() }
            }
            umask(0o022)
            let command = try stage("fork") { () throws(SystemError) in
                try ChildProcess.spawn { CommandProcess.run(birth) }
            }
            try stage("privileges") { () throws(SystemError) in try confine(status: birth.status) }
            SignalLoop.run(command: command)
        } catch {
            report(error.failure, to: birth.failure)
        }
    }

    /// Tells the launcher why there is no command, and ends.
    static func report(_ failure: SandboxFailure, to descriptor: FileDescriptor) -> Never {
        try? descriptor.writeAll(FailurePipe.failed + failure.encoded())
        _exit(125)
    }

    private static func waitForLauncher(_ birth: SandboxBirth) throws(StageError) {
        var byte: UInt8 = 0
        let count = try stage("start") { () throws(SystemError) in
            try systemCall("read") { read(birth.go.raw, &byte, 1) }
        }
        if count == 0 { _exit(125) }
        try stage("user namespace") { () throws(SystemError) in
            try ProcessControl.setIdentity(user: 0, group: 0, groups: birth.ids.groups([]))
            // The user is the sandbox's own by now, and so is what it has of the quota of keys.
            if birth.composition.has(.keyring) { try Keyrings.leaveSession() }
            // A change of credentials takes this away, so it comes after the last one. The parent may have
            // died before: then the pipe, whose other end it alone holds, has ended.
            try ProcessControl.killWhenParentEnds()
            try ProcessControl.hideFromPeers()
        }
        var state = pollfd(fd: birth.go.raw, events: Int16(POLLIN), revents: 0)
        if poll(&state, 1, 0) != 0 { _exit(125) }
    }

    /// Leaves pid 1 with nothing but the status pipe, as descriptor 0.
    private static func confine(status: FileDescriptor) throws(SystemError) {
        try systemCall("dup2") { dup2(status.raw, SignalLoop.statusDescriptor) }
        ProcessControl.closeAll(from: SignalLoop.statusDescriptor + 1)
        try ProcessControl.forbidNewPrivileges()
        // Again: the command's change of ids, in this process's memory, set it to what the host has in
        // fs.suid_dumpable. Until the next line nobody in the sandbox has the capabilities to trace this process.
        try ProcessControl.hideFromPeers()
        // The command may be another user's, and signals are passed on to it.
        try Capabilities.kill.setCurrent()
    }
}
