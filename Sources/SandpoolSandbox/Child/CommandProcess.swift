import CLinux
import Glibc
import LinuxSystem

/// The main command's process between its fork from pid 1 and its execve.
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
        try PlanValidation.checkCommand(plan.arguments, environment: plan.environment)
        let root = try CommandSteps.openRoot()
        let account = try Account.find(plan.user, in: root, birth.ids)
        try CommandSteps.startSession()
        try CommandSteps.takeStreams([birth.standardInput, birth.standardOutput, birth.standardError])
        let composition = birth.composition
        if composition.has(.resourceLimits) {
            try stage("limits") { () throws(SystemError) in try CommandLimits.apply(fileSize: birth.fileSizeLimit) }
        }
        try WorkingDirectory.enter(plan.workingDirectory, root: root, owner: account)
        // The failure pipe closes by itself at exec.
        ProcessControl.closeAll(except: [birth.failure])
        try CommandSteps.giveUpPrivileges(
            plan.capabilities, account, birth.ids, isBound: composition.has(.capabilities))
        try CommandSteps.execute(
            plan.arguments, environment: plan.environment, home: account.home,
            composition.has(.seccomp) ? birth.seccomp : nil, failure: birth.failure)
    }
}
