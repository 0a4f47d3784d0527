import CLinux
import Glibc
import LinuxSystem

/// What is done to a process before it executes a command in a sandbox, the main one or a further one.
enum CommandSteps {
    /// Of the sandbox, where this process is in its mount namespace.
    static func openRoot() throws(StageError) -> FileDescriptor {
        try stage("root") { () throws(SystemError) in try FileDescriptor.open("/", O_PATH | O_DIRECTORY) }
    }

    static func startSession() throws(StageError) {
        try stage("session") { () throws(SystemError) in try systemCall("setsid") { setsid() } }
    }

    /// - Parameter streams: standard input, output and error.
    static func takeStreams(_ streams: [FileDescriptor]) throws(StageError) {
        try stage("streams") { () throws(SystemError) in
            for (number, descriptor) in streams.enumerated() {
                try systemCall("dup2") { dup2(descriptor.raw, Int32(number)) }
            }
        }
    }

    /// - Parameter isBound: false in a measurement of what the capabilities' end costs.
    static func giveUpPrivileges(
        _ profile: SandboxPlan.CapabilityProfile, _ account: Account, _ ids: IdSpace, isBound: Bool = true
    ) throws(StageError) {
        try stage("privileges") { () throws(SystemError) in
            try ProcessControl.forbidNewPrivileges()
            if isBound { try profile.kept.boundAll() }
            try ProcessControl.setIdentity(
                user: account.user, group: account.group, groups: ids.groups(account.groups))
            if isBound { try (account.user == 0 ? profile.kept : []).setCurrent() }
        }
    }

    /// - Parameters:
    ///   - filter: absent in a measurement of what it costs.
    ///   - failure: closes by itself at exec.
    static func execute(
        _ arguments: [String], environment: [String], home: String, _ filter: SeccompFilter?, failure: FileDescriptor
    ) throws(StageError) -> Never {
        var environment = environment
        if !environment.contains(where: { $0.hasPrefix("HOME=") }) { environment.append("HOME=\(home)") }
        if let filter { try stage("seccomp") { () throws(SystemError) in try filter.install() } }
        SignalDispositions.reset()
        try? failure.writeAll(FailurePipe.executing)
        throw Program.execute(arguments, environment: environment)
    }
}

extension SandboxPlan.CapabilityProfile {
    var kept: Capabilities {
        switch self {
        case .run: return []
        case .build:
            return [
                .chown, .overrideAccess, .fileOwner, .fileSetID, .setUserID, .setGroupID, .setFileCapabilities,
                .changeRoot, .kill,
            ]
        }
    }
}

enum SignalDispositions {
    /// An ignored signal stays ignored over an exec, and so does the mask.
    static func reset() {
        for number in Int32(1)...64 where number != SIGKILL && number != SIGSTOP { CLinux_default_signal(number) }
        SignalMask.set(0)
    }
}
