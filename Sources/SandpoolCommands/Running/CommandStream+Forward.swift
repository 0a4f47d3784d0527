import Glibc
import NIOCore
import Sandpool
import SandpoolModel

extension CommandStream {
    /// The first interrupt is the command's, the second cancels, the third leaves. A termination cancels.
    nonisolated func forward(_ relay: SignalRelay) async {
        var interrupts = 0
        for await signal in relay.signals {
            interrupts += signal == SIGINT ? 1 : 2
            switch interrupts {
            case 1: try? await self.signal(Int(SIGINT))
            case 2: try? await cancel()
            default: ExitStatus.interrupted.end()
            }
        }
    }

    /// Passes this process's stdin on to its end. Where it cannot be read any further it ends, and a line says so: the
    /// command may read to the end, and would wait for ever.
    nonisolated func forwardStandardInput() async throws {
        do {
            let input = try StandardInputReader()
            while true {
                let bytes = try await input.read()
                guard !bytes.isEmpty else { break }
                guard try await write(ByteBuffer(bytes: bytes)) else { return }
            }
        } catch {
            guard !Task.isCancelled else { throw error }
            StandardError.line("sandpool: \(TerminalText.harmless("\(error)")); the command's input ends here")
        }
        try await finishInput()
    }
}
