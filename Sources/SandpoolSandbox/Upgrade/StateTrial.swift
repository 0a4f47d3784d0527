import Glibc
import LinuxSystem

/// Whether a program could go on with a state: it is asked before anything is given up.
enum StateTrial {
    /// Far longer than reading a state takes.
    private static let limitMs: UInt64 = 10_000
    /// What one says that could: any program may end with 0.
    private static let consent = "takes over"

    /// Has a copy of the program read a copy of the state, in a child that has nothing else open.
    ///
    /// - Parameters:
    ///   - words: the options that it would be started with, which it has to know too.
    ///   - done: gets nil, or why it could not.
    static func run(
        _ program: FileDescriptor, _ state: FileDescriptor, _ words: [String], _ loop: EventLoop,
        then done: @escaping (String?) -> Void
    ) throws(SystemError) {
        let said = try Pipe()
        let child = try ChildProcess.clone {
            try? ProcessControl.killWhenParentEnds()
            for standard in [STDOUT_FILENO, STDERR_FILENO] { dup2(said.writeEnd.raw, standard) }
            ProcessControl.closeAll(except: [program, state])
            SignalMask.set(0)
            do throws(SystemError) {
                try FileDescriptor.setInherited(state.raw, true)
                try SealedProgram.execute(
                    program, [SealedProgram.name, LauncherOptions.stateTrial, "\(state.raw)"] + words)
            } catch { Diagnostics.write("\(error)") }
            _exit(1)
        }
        let output = said.readEnd
        let limit = loop.schedule(at: BoottimeClock.milliseconds() + limitMs) { try? child.send(SIGKILL) }
        do throws(SystemError) {
            try output.setNonBlocking()
            try loop.watch(child.descriptor, .readable) {
                loop.forget(child.descriptor)
                loop.cancel(limit)
                done(outcome((try? child.reap()) ?? WaitStatus(rawValue: 1), output))
            }
        } catch {
            loop.cancel(limit)
            try? child.send(SIGKILL)
            _ = try? child.reap()
            throw error
        }
    }

    private static func outcome(_ status: WaitStatus, _ output: FileDescriptor) -> String? {
        var buffer = [UInt8](repeating: 0, count: 500)
        let count = read(output.raw, &buffer, buffer.count)
        let text = String(decoding: buffer[..<max(0, count)], as: UTF8.self)
        let line = text.split(separator: "\n").first.map(String.init)
        if status.rawValue == 0 { return line == consent ? nil : "it knows nothing of taking over" }
        if let line { return line }
        return status.signal > 0 ? "signal \(status.signal)" : "exit code \(status.exitCode)"
    }

    /// The other side: the exit code for a state by its descriptor, and options. Why not goes to standard error.
    static func answer(_ words: [String]) -> Int32 {
        do {
            guard let word = words.first, let number = Int32(word), number > 2 else {
                throw OptionError("\(LauncherOptions.stateTrial) needs a descriptor")
            }
            var descriptors: [Int32] = []
            _ = try LauncherState.read(FileDescriptor(owning: number), &descriptors)
            _ = try LauncherOptions(Array(words.dropFirst()))
            print(consent)
            return 0
        } catch {
            Diagnostics.write("\(error)")
            return 1
        }
    }
}
