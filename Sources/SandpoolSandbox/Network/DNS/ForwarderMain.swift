import Glibc
import LinuxSystem

/// The first steps of the DNS forwarder's process: it gives everything up that it does not need.
enum ForwarderMain {
    /// - Parameters:
    ///   - sockets: where every sandbox asks; nil where each has its own, which come with its admission.
    ///   - user: whom it becomes; nil where there is nobody else to be.
    static func run(
        sockets: GatewaySockets?, control: SeqPacketSocket, resolverPath: String, user: uid_t?, parent: pid_t
    ) -> Never {
        do {
            SignalMask.set(0)
            for number in [SIGTERM, SIGINT, SIGHUP, SIGCHLD] { signal(number, SIG_DFL) }
            signal(SIGPIPE, SIG_IGN)
            let kept = try keepOnly([control.descriptor] + (sockets?.descriptors ?? []))
            try chdirToRoot()
            try Capabilities([]).boundAll()
            if let user { try ProcessControl.setIdentity(user: user, group: user, groups: []) }
            try Capabilities([]).setCurrent()
            try ProcessControl.forbidNewPrivileges()
            try ProcessControl.hideFromPeers()
            // After the last change of credentials, which clears it; a parent that ended before is missed.
            try ProcessControl.killWhenParentEnds()
            guard getppid() == parent else { _exit(0) }
            let loop = try EventLoop()
            let forwarder = try DNSForwarder(
                sockets: GatewaySockets(kept.dropFirst()), control: SeqPacketSocket(kept[0]),
                resolverPath: resolverPath, loop: loop)
            try HelperFilter.forwarder().install()
            try withExtendedLifetime(forwarder) { try loop.run() }
            _exit(0)
        } catch {
            let line = Array("sandpool-launcher: DNS forwarder: \(error)\n".utf8)
            _ = write(STDERR_FILENO, line, line.count)
            _exit(1)
        }
    }

    /// Moves these to 3 and up and closes all others but standard error: everything else that the launcher
    /// has open is none of the forwarder's business.
    private static func keepOnly(_ descriptors: [FileDescriptor]) throws -> [FileDescriptor] {
        try detachStandardStreams()
        // First out of the way of each other.
        let count = Int32(descriptors.count)
        let high = try descriptors.map { descriptor in
            try systemCall("fcntl F_DUPFD_CLOEXEC") { fcntl(descriptor.raw, F_DUPFD_CLOEXEC, 3 + count) }
        }
        for (index, raw) in high.enumerated() { try systemCall("dup2") { dup2(raw, 3 + Int32(index)) } }
        ProcessControl.closeAll(from: 3 + count)
        return (0..<count).map { FileDescriptor(owning: 3 + $0) }
    }

    private static func detachStandardStreams() throws {
        let null = try FileDescriptor.open("/dev/null", O_RDWR)
        for standard in [STDIN_FILENO, STDOUT_FILENO] { try systemCall("dup2") { dup2(null.raw, standard) } }
    }

    private static func chdirToRoot() throws {
        try systemCall("chdir /") { chdir("/") }
    }
}
