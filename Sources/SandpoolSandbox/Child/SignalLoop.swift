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
            let signal = CLinux_wait_signal(SignalMask.all, &sender, &code)
            if signal == SIGCHLD { reap(command) }
            if let wanted = LauncherSignal.wanted(signal, code: code, sender: sender) { forward(wanted, to: command) }
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

/// How the launcher asks pid 1 to signal the command: it sends that very signal.
///
/// Only a process outside the sandbox has no number in it, so that the sender shows as 0. The command cannot pretend:
/// it may write anything into the siginfo of a signal that it queues (rt_sigqueueinfo(2)), but neither SI_USER nor
/// SI_TKILL for its code.
enum LauncherSignal {
    private static let user: Int32 = 0
    private static let thread: Int32 = -6
    /// In place of the two that would not be sent to pid 1 but act on it, sent to its thread (tgkill(2)).
    private static let carriers: [(wanted: Int32, sent: Int32)] = [(SIGKILL, SIGUSR1), (SIGSTOP, SIGUSR2)]

    static func send(_ signal: UInt8, to first: ChildProcess) {
        let signal = Int32(signal)
        // ESRCH: it has just ended, and its end is on the way.
        if let carrier = carriers.first(where: { $0.wanted == signal }) {
            try? first.sendToThread(carrier.sent)
        } else {
            try? first.send(signal)
        }
    }

    /// What a signal that pid 1 got asks for, if the launcher sent it.
    static func wanted(_ signal: Int32, code: Int32, sender: pid_t) -> Int32? {
        guard sender == 0 else { return nil }
        if code == user { return signal }
        return code == thread ? carriers.first { $0.sent == signal }?.wanted : nil
    }
}
