import CLinux
import Glibc
import LinuxSystem

/// The launcher's process in the host's net namespace: starts what needs sockets there. The first of a pid namespace,
/// so that all of it ends with it, whatever pasta does to its own parent-death signal (pid_namespaces(7)).
final class HostSideMain {
    private let control: SeqPacketSocket
    private let resolverPath: String
    private let loop: EventLoop
    /// By their tokens, which are never used again; each until it has ended.
    private var connections: [UInt64: FileDescriptor] = [:]

    static func run(_ control: SeqPacketSocket, resolverPath: String) -> Never {
        do throws(SystemError) {
            // The end of the connection tells, too; this is for a launcher that leaves a copy of it behind.
            try ProcessControl.killWhenParentEnds()
            ProcessControl.closeAll(except: [control.descriptor])
            // What a killed pasta had started becomes a child of the first process, which waits for none of them: the
            // kernel is to reap them all (sigaction(2), SIG_IGN of SIGCHLD).
            signal(SIGCHLD, SIG_IGN)
            ResourceLimit.openFiles.raise(aboveHard: false)
            try systemCall("chdir /") { chdir("/") }
            let side = try HostSideMain(control, resolverPath)
            try side.loop.run()
            _exit(0)
        } catch {
            Diagnostics.write("host's side of the network: \(error)")
            _exit(1)
        }
    }

    private init(_ control: SeqPacketSocket, _ resolverPath: String) throws(SystemError) {
        self.control = control
        self.resolverPath = resolverPath
        loop = try EventLoop()
        try loop.watch(control.descriptor, .readable) { [unowned self] in receive() }
    }

    /// The launcher's end is this one's, and a launcher that cannot be understood is none.
    private func receive() {
        guard
            let message = try? control.receive(
                limit: HostSideCommand.sizeLimit, descriptorLimit: HostSideCommand.descriptorLimit),
            let command = try? HostSideCommand(message.bytes)
        else { return loop.stop() }
        // Those that did not fit are closed: by that the launcher sees it.
        if message.descriptors.count == command.descriptorCount { obey(command, message.descriptors) }
    }

    /// What cannot be started closes what came with it.
    private func obey(_ command: HostSideCommand, _ descriptors: [FileDescriptor]) {
        switch command {
        case .connect(let token, let address, let gateway):
            let words = Pasta.words(address: address, gateway: gateway)
            guard let pid = Self.start(words, namespace: descriptors[0], said: descriptors[1]) else { return }
            connections[token] = watch(pid) { [unowned self] in
                connections[token] = nil
                // Fails where the launcher is gone, whose end is this one's.
                try? control.send(HostSideEvent.ended(token: token).encoded)
            }
        case .disconnect(let token):
            if let process = connections[token] { CLinux_pidfd_send_signal(process.raw, SIGKILL) }
        case .forward:
            let (own, resolverPath) = (getpid(), resolverPath)
            let child = try? ChildProcess.clone {
                ForwarderMain.run(
                    sockets: nil, control: SeqPacketSocket(descriptors[0]), resolverPath: resolverPath, user: nil,
                    parent: own)
            }
            if let child { _ = watch(child.pid) {} }
        }
    }

    /// Says when it has ended. One whose end nobody would see, for want of a descriptor, ends here.
    private func watch(_ pid: pid_t, _ ended: @escaping () -> Void) -> FileDescriptor? {
        do throws(SystemError) {
            let process = try ChildProcess.open(pid)
            try loop.watch(process, .readable) { [unowned self] in
                loop.forget(process)
                ended()
            }
            return process
        } catch {
            // It may have ended already, and its number be another's.
            if error.code != ESRCH { kill(pid, SIGKILL) }
            ended()
            return nil
        }
    }

    private static func start(_ words: [String], namespace: FileDescriptor, said: FileDescriptor) -> pid_t? {
        let (arguments, environment) = (ProgramWords(words), ProgramWords([]))
        // Numbers and addresses: what the child's closure holds stays held here (`ChildProcess.spawn`), and with the
        // pipe open nobody would see the child's end.
        let (input, error, argv, envp) = (namespace.raw, said.raw, arguments.pointers, environment.pointers)
        return withExtendedLifetime((namespace, said, arguments, environment)) {
            try? ChildProcess.spawn {
                // It takes a handler that is not the default one for an error.
                signal(SIGPIPE, SIG_DFL)
                signal(SIGCHLD, SIG_DFL)
                dup2(input, STDIN_FILENO)
                dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO)
                dup2(error, STDERR_FILENO)
                ProcessControl.closeAll(from: 3)
                execve(Pasta.path, argv, envp)
                _exit(127)
            }
        }
    }
}
