import CLinux
import Glibc
import LinuxSystem

/// The child of the launcher's that starts one more command in a sandbox, and the command's process up to its execve.
///
/// The first joins the sandbox from outside of its pid namespace, where nobody in the sandbox sees it, and gives up
/// everything there. What it then clones into the pid namespace has no identity and no capability that the command will
/// not have, no descriptor of the host's beyond the sealed plan and the pipe for a failure, and cannot be traced. The
/// clone is the launcher's own child: nobody waits in between, and the launcher reaps it.
enum ExecProcess {
    static func run(_ birth: ExecBirth) -> Never {
        do throws(StageError) {
            SignalMask.block(SignalMask.all)
            SealedProgram.hideCommandLine()
            try join(birth)
            let home = try becomeLikeTheCommand(birth)
            try addingProcess { () throws(SystemError) in
                try ChildProcess.cloneSibling(noted: birth.number) { startCommand(birth, home: home) }
            }
        } catch {
            SandboxInit.report(error.failure, to: birth.failure)
        }
        _exit(0)
    }

    private static func join(_ birth: ExecBirth) throws(StageError) {
        try stage("privileges") { () throws(SystemError) in try ProcessControl.hideFromPeers() }
        ProcessControl.closeAll(except: birth.descriptors)
        try stage("cgroup") { () throws(SystemError) in
            try birth.division?.run()
            for file in birth.cgroupFiles { try file.writeAll([UInt8(ascii: "0")]) }
        }
        try stage("namespaces") { () throws(SystemError) in try birth.namespaces.enter() }
        try stage("user namespace") { () throws(SystemError) in
            try ProcessControl.setIdentity(user: 0, group: 0, groups: birth.ids.groups([]))
            try Keyrings.leaveSession()
        }
        umask(0o022)
    }

    /// All that takes a privilege. Returns the home directory of the command's user.
    private static func becomeLikeTheCommand(_ birth: ExecBirth) throws(StageError) -> String {
        let root = try CommandSteps.openRoot()
        let account = try Account.find(birth.plan.user, in: root, birth.ids)
        try CommandSteps.takeStreams(birth.streams)
        try stage("limits") { () throws(SystemError) in try CommandLimits.apply(fileSize: nil) }
        try WorkingDirectory.enter(birth.plan.workingDirectory, root: root, owner: account)
        ProcessControl.closeAll(except: [birth.sealed.descriptor, birth.failure])
        try CommandSteps.giveUpPrivileges(birth.capabilities, account, birth.ids)
        try stage("privileges") { () throws(SystemError) in
            // Each change of ids sets these two to something else. The launcher's end is that of the sandbox, and with
            // it of a clone that is there by now.
            try ProcessControl.hideFromPeers()
            try ProcessControl.killWhenParentEnds()
        }
        return account.home
    }

    /// Here, in a copy of its own that nobody else can read, the command is known for the first time.
    private static func startCommand(_ birth: ExecBirth, home: String) -> Never {
        do throws(StageError) {
            try CommandSteps.startSession()
            let plan = try birth.sealed.whole()
            try PlanValidation.checkCommand(plan.arguments, environment: plan.environment)
            ProcessControl.closeAll(except: [birth.failure])
            try CommandSteps.execute(
                plan.arguments, environment: plan.environment, home: home, birth.seccomp, failure: birth.failure)
        } catch {
            SandboxInit.report(error.failure, to: birth.failure)
        }
    }
}
