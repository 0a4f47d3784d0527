import Glibc
import LinuxSystem
import NIOPosix

/// Where the signal handler writes; a handler may use nothing but what is there already (signal-safety(7)).
nonisolated(unsafe) private var relayDescriptor: Int32 = -1

/// Interrupts and terminations of this process as values, in the order they came.
struct SignalRelay {
    let signals: AsyncStream<Int32>
    private let pipe: Pipe

    /// Takes SIGINT and SIGTERM over until `stop`.
    init() throws {
        let pipe = try Pipe()
        let (signals, continuation) = AsyncStream.makeStream(of: Int32.self, bufferingPolicy: .bufferingNewest(16))
        self.pipe = pipe
        self.signals = signals
        relayDescriptor = pipe.writeEnd.raw
        let thread = NIOThreadPool(numberOfThreads: 1)
        thread.start()
        thread.submit { _ in
            // Both ends stay open, and the handlers restart an interrupted read, so this goes on for ever.
            while let bytes = Descriptor.readOnce(pipe.readEnd.raw, limit: 16), !bytes.isEmpty {
                for byte in bytes { continuation.yield(Int32(byte)) }
            }
        }
        for number in [SIGINT, SIGTERM] {
            var action = sigaction()
            action.__sigaction_handler.sa_handler = { number in
                var byte = UInt8(truncatingIfNeeded: number)
                let saved = errno
                _ = write(relayDescriptor, &byte, 1)
                errno = saved
            }
            action.sa_flags = SA_RESTART
            sigaction(number, &action, nil)
        }
    }

    /// Gives both back: from now on they end this process.
    func stop() {
        for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
    }
}
