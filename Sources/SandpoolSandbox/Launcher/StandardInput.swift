import LinuxSystem

/// What a worker needs to feed a command, and what the next worker needs to go on with it: it outlives the worker here.
struct StandardInput {
    /// The write end of the command's pipe.
    private let pipe: FileDescriptor
    /// What is on its way into the pipe, a file that the worker writes. Its own offset is how much the pipe took.
    private let waiting: FileDescriptor

    init(_ pipe: Pipe) throws(SystemError) {
        self.pipe = pipe.writeEnd
        waiting = try MemoryFile.make("input")
    }

    /// What the program before made.
    init(pipe: FileDescriptor, waiting: FileDescriptor) {
        self.pipe = pipe
        self.waiting = waiting
    }

    var state: LauncherState.CommandState.Input {
        LauncherState.CommandState.Input(pipe: pipe.raw, waiting: waiting.raw)
    }

    var descriptors: [FileDescriptor] { [pipe, waiting] }
}
