import Glibc
import LinuxSystem

/// Where the signal handler writes; a handler may use nothing but what is there already (signal-safety(7)).
nonisolated(unsafe) private var handlerDescriptor: Int32 = -1

/// Interrupts and terminations of this process as bytes in a pipe, each a signal's number.
struct SignalPipe {
    private let pipe: Pipe

    /// Takes SIGINT and SIGTERM over until `stop`.
    init() throws {
        pipe = try Pipe()
        handlerDescriptor = pipe.writeEnd.raw
        for number in [SIGINT, SIGTERM] {
            var action = sigaction()
            action.__sigaction_handler.sa_handler = { number in
                var byte = UInt8(truncatingIfNeeded: number)
                let saved = errno
                _ = write(handlerDescriptor, &byte, 1)
                errno = saved
            }
            action.sa_flags = SA_RESTART
            sigaction(number, &action, nil)
        }
    }

    var descriptor: Int32 { pipe.readEnd.raw }

    /// Gives both back: from now on they end this process.
    func stop() {
        for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
    }
}
