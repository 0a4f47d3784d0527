import Glibc
import LinuxSystem
import NIOCore
import SandpoolAPI
import Testing

@testable import SandpoolWorker

/// Standard input over the ends of workers: what a launcher keeps of it is the pipe and the file.
@Suite struct CommandInputTests {
    private let pipe: LinuxSystem.Pipe
    private let waiting: LinuxSystem.FileDescriptor
    private let text = (0..<60_000).map { "\($0)\n" }.joined()

    init() throws {
        pipe = try LinuxSystem.Pipe()
        waiting = try MemoryFile.make("input")
    }

    /// A worker that is given both.
    private func attached() throws -> CommandInput {
        let spools = [try MemoryFile.make("stdout"), try MemoryFile.make("stderr")]
        let descriptors = try #require(CommandDescriptors(spools + [pipe.writeEnd, waiting]))
        var input = CommandInput()
        input.attach(descriptors.input)
        return input
    }

    private func frame(from offset: Int64, count: Int, last: Bool = false) -> InputFrame {
        let bytes = Array(text.utf8)[Int(offset)...].prefix(count)
        return InputFrame(id: "at-x", epoch: 1, offset: offset, isLast: last, bytes: ByteBuffer(bytes: bytes))
    }

    private func read(_ count: Int) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: count)
        let taken = Glibc.read(pipe.readEnd.raw, &buffer, count)
        return Array(buffer.prefix(max(0, taken)))
    }

    @Test func theNextWorkerGoesOnAtTheByte() throws {
        var output: [UInt8] = []
        var known: Int64 = 0
        // Each worker gets a part of it into the pipe, tells nobody, and is gone.
        for round in 0..<4 {
            var input = try attached()
            #expect(input.queue.consumed >= known)
            if round > 0 { #expect(input.queue.received > known) }
            try input.add(frame(from: known, count: 150_000))
            let isDone = input.write()
            #expect(!isDone)
            known = input.queue.consumed - 1
            output += read(50_000)
        }
        var input = try attached()
        try input.add(frame(from: known, count: text.utf8.count, last: true))
        while !input.write() { output += read(50_000) }
        #expect(input.queue.consumed == Int64(text.utf8.count))
        while output.count < text.utf8.count { output += read(50_000) }
        #expect(String(decoding: output, as: UTF8.self) == text)
    }

    @Test func whatTheCommandHasTakesNoMemory() throws {
        var input = try attached()
        for round in Int64(0)..<64 {
            let zeros = ByteBuffer(repeating: 0, count: 64 << 10)
            try input.add(
                InputFrame(id: "at-x", epoch: 1, offset: round * (64 << 10), isLast: false, bytes: zeros))
            while input.queue.hasWaiting {
                _ = input.write()
                _ = read(64 << 10)
            }
        }
        var state = stat()
        fstat(waiting.raw, &state)
        #expect(state.st_size == 4 << 20)
        #expect(state.st_blocks * 512 <= 512 << 10)
    }

    @Test func aCommandThatReadsNoMoreHoldsNobodyUp() throws {
        signal(SIGPIPE, SIG_IGN)
        var input = try attached()
        try input.add(frame(from: 0, count: 100))
        shutdownReadEnd()
        let isDone = input.write()
        #expect(isDone)
        #expect(input.queue.consumed == 100 && !input.queue.hasWaiting)
    }

    /// Closes the pipe's other end, whose owner is still referred to.
    private func shutdownReadEnd() {
        let nowhere = open("/dev/null", O_RDONLY | O_CLOEXEC)
        dup2(nowhere, pipe.readEnd.raw)
        close(nowhere)
    }
}
