import CLinux
import Glibc
import LinuxSystem

/// SIGTERM, SIGINT and SIGHUP end the launcher in order: every sandbox is killed and nothing stays on the host.
final class StopSignals {
    private let descriptor: FileDescriptor

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
            _ = read(descriptor.raw, &buffer, buffer.count)
            launcher.endAll()
        }
    }
}
