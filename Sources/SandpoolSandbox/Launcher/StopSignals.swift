import CLinux
import Glibc
import LinuxSystem

/// SIGTERM, SIGINT and SIGHUP end the launcher in order: every sandbox is killed and nothing stays on the host. One
/// that listens takes SIGHUP for the wish that the program which is at its path by now takes its place (`Upgrade`).
final class StopSignals {
    private let descriptor: FileDescriptor
    /// In place of the end.
    var onHangUp: (() -> Void)?

    init(_ launcher: Launcher) throws(SystemError) {
        var signals = sigset_t()
        sigemptyset(&signals)
        for signal in [SIGTERM, SIGINT, SIGHUP] {
            sigaddset(&signals, signal)
            // Children of the launcher set their own mask.
            SignalMask.block(1 << UInt64(signal - 1))
        }
        let raw = try systemCall("signalfd") { signalfd(-1, &signals, Int32(SFD_CLOEXEC) | Int32(SFD_NONBLOCK)) }
        descriptor = FileDescriptor(owning: raw)
        try launcher.loop.watch(descriptor, .readable) { [unowned self, unowned launcher] in
            var buffer = [UInt8](repeating: 0, count: 128)
            guard read(descriptor.raw, &buffer, buffer.count) == buffer.count else { return }
            // signalfd_siginfo begins with the signal's number (signalfd(2)).
            if let onHangUp, buffer[0] == UInt8(SIGHUP) { onHangUp() } else { launcher.endAll() }
        }
    }
}
