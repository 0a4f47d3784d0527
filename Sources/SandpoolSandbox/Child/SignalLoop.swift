import CLinux
import Glibc
import LinuxSystem

/// What pid 1 does for the rest of the sandbox's life: reap every process, forward the launcher's signals to
/// the command's process group, and say how the command ended.
enum SignalLoop {
    static let statusDescriptor: Int32 = 0

    /// When the command has ended, pid 1 ends too and the kernel kills whatever is left in the sandbox.
    static func run(command: pid_t) -> Never {
        while true {
            var sender: pid_t = 0
            var code: Int32 = 0
            var value: Int32 = 0
            let signal = CLinux_wait_signal(SignalMask.all, &sender, &code, &value)
            if signal == SIGCHLD {
                reap(command)
            } else if signal == LauncherSignal.carrier, code == LauncherSignal.queued, sender == 0 {
                // Only a process outside the sandbox has no number in it: the command cannot pretend.
                forward(value, to: command)
            }
        }
    }

    private static func reap(_ command: pid_t) {
        var status: Int32 = 0
        while true {
            let pid = waitpid(-1, &status, WNOHANG)
            if pid <= 0 { return }
            if pid == command {
                let bytes = ExitStatusRecord(WaitStatus(rawValue: status)).bytes
                _ = write(statusDescriptor, bytes, bytes.count)
                _exit(0)
            }
        }
    }

    private static func forward(_ signal: Int32, to command: pid_t) {
        // Before setsid the command has no group of its own yet.
        if kill(-command, signal) != 0 { _ = kill(command, signal) }
    }
}

/// How the launcher asks pid 1 to signal the command: a queued signal whose value is the number to send.
enum LauncherSignal {
    static let carrier: Int32 = SIGUSR1
    /// SI_QUEUE.
    static let queued: Int32 = -1

    static func send(_ signal: UInt8, to first: ChildProcess) {
        // ESRCH: it has just ended, and its end is on the way.
        try? first.send(carrier, value: Int32(signal))
    }
}
