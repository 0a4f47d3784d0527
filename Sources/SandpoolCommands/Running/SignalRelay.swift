import NIOPosix

/// Interrupts and terminations of this process as values, in the order they came.
struct SignalRelay {
    let signals: AsyncStream<Int32>
    private let pipe: SignalPipe

    init(_ pipe: SignalPipe) {
        let (signals, continuation) = AsyncStream.makeStream(of: Int32.self, bufferingPolicy: .bufferingNewest(16))
        self.pipe = pipe
        self.signals = signals
        let thread = NIOThreadPool(numberOfThreads: 1)
        thread.start()
        thread.submit { _ in
            // Both ends stay open, and the handlers restart an interrupted read, so this goes on for ever.
            while let bytes = Descriptor.readOnce(pipe.descriptor, limit: 16), !bytes.isEmpty {
                for byte in bytes { continuation.yield(Int32(byte)) }
            }
        }
    }

    /// Gives the signals back: from now on they end this process.
    func stop() { pipe.stop() }
}
