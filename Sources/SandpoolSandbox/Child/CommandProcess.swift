import CLinux
import Glibc
import LinuxSystem

/// The command's process between its fork from pid 1 and its execve.
enum CommandProcess {
    static func run(_ birth: SandboxBirth) -> Never {
        do throws(StageError) {
            try execute(birth)
        } catch {
            SandboxInit.report(error.failure, to: birth.failure)
        }
    }

    private static func execute(_ birth: SandboxBirth) throws(StageError) -> Never {
        var plan = birth.plan
        if let sealed = birth.sealed { plan = try sealed.whole() }
        try PlanValidation.checkCommand(plan)
        let root = try stage("root") { () throws(SystemError) in
            try FileDescriptor.open("/", O_PATH | O_DIRECTORY)
        }
        let account = try Account.find(plan.user, in: root, birth.ids)
        var environment = plan.environment
        if !environment.contains(where: { $0.hasPrefix("HOME=") }) { environment.append("HOME=\(account.home)") }
        try stage("session") { () throws(SystemError) in
            try systemCall("setsid") { setsid() }
            for (number, descriptor) in [birth.standardInput, birth.standardOutput, birth.standardError].enumerated() {
                try systemCall("dup2") { dup2(descriptor.raw, Int32(number)) }
            }
        }
        if birth.composition.has(.resourceLimits) {
            try stage("limits") { () throws(SystemError) in try CommandLimits.apply(fileSize: birth.fileSizeLimit) }
        }
        try WorkingDirectory.enter(plan.workingDirectory, root: root, owner: account)
        closeOthers(than: birth.failure)
        try stage("privileges") { () throws(SystemError) in
            try ProcessControl.forbidNewPrivileges()
            let isBound = birth.composition.has(.capabilities)
            if isBound { try plan.capabilities.kept.boundAll() }
            try ProcessControl.setIdentity(
                user: account.user, group: account.group, groups: birth.ids.groups(account.groups))
            if isBound { try (account.user == 0 ? plan.capabilities.kept : []).setCurrent() }
        }
        if birth.composition.has(.seccomp) {
            try stage("seccomp") { () throws(SystemError) in try birth.seccomp.install() }
        }
        SignalDispositions.reset()
        try? birth.failure.writeAll(FailurePipe.executing)
        throw Program.execute(plan.arguments, environment: environment)
    }

    /// Everything but the standard streams and the failure pipe, which closes by itself at exec.
    private static func closeOthers(than kept: FileDescriptor) {
        ProcessControl.closeAll(from: 3, through: kept.raw - 1)
        ProcessControl.closeAll(from: kept.raw + 1)
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
