import Glibc
import LinuxSystem

/// The launcher's program.
public enum LauncherMain {
    /// Runs until its work is over; returns the exit code.
    public static func run(_ arguments: [String]) -> Int32 {
        if arguments == [LauncherOptions.trial] { return OwnNamespace.isGiven ? 0 : 1 }
        if arguments == [LauncherOptions.networkTrial] { return UserNetwork.trial() }
        do {
            return try run(LauncherOptions(arguments))
        } catch {
            Diagnostics.write("\(error); \(LauncherOptions.usage)")
            return 2
        }
    }

    private static func run(_ options: LauncherOptions) -> Int32 {
        do {
            try SealedProgram.enter()
            closeInherited(options.mode)
            let rights = geteuid() == 0 ? HostRights.root : try OwnNamespace.enter()
            try prepareProcess(rights)
            let launcher = try Launcher(
                dataDirectory: options.dataDirectory, rights, Composition(of: options.mode),
                hasOldOverlays: options.hasOldOverlays)
            let stop = try StopSignals(launcher)
            defer { withExtendedLifetime(stop) { launcher.removeTraces() } }
            switch options.mode {
            case .floor(let count, let parallel, _):
                print(try FloorMeasurement(launcher, count: count).run(parallel: parallel))
            case .connected(let descriptor):
                let service = try LauncherService(launcher, keepsSandboxes: false)
                try service.serve(SeqPacketSocket(FileDescriptor(owning: descriptor)))
                try launcher.loop.run()
            case .socket(let path, let peer, let idle):
                let peerUser = try peer?.userID()
                let service = try LauncherService(launcher, keepsSandboxes: true)
                let listener = try LauncherListener(
                    path: path, peerUser: peerUser, service: service, loop: launcher.loop)
                let idleEnd = idle.map { IdleEnd(launcher, service, seconds: $0) }
                try launcher.loop.run()
                withExtendedLifetime((listener, idleEnd)) {}
            }
            return 0
        } catch {
            if case .connected(let descriptor) = options.mode {
                refuse(descriptor, "\(error)")
            } else {
                Diagnostics.write("\(error)")
            }
            return 1
        }
    }

    /// Whoever started it for himself tells people, in his own words and once.
    private static func refuse(_ descriptor: Int32, _ why: String) {
        guard fcntl(descriptor, F_GETFD) >= 0 else { return Diagnostics.write(why) }
        let peer = SeqPacketSocket(FileDescriptor(owning: descriptor))
        try? peer.send(LauncherEvent.refused(message: why).encoded())
        // A socket closed with something unread in it takes the answer along.
        while (try? peer.receive(limit: LauncherProtocol.messageLimit)) != nil {}
    }

    /// What it was started with by accident would stay open as long as it lives: the end of somebody's pipe.
    private static func closeInherited(_ mode: LauncherOptions.Mode) {
        // Descriptors 0 to 2 are always somebody's: nothing else must ever get one of these numbers.
        while let raw = try? FileDescriptor.openRaw("/dev/null"), raw < 3 {}
        var first: Int32 = 3
        if case .connected(let descriptor) = mode {
            ProcessControl.closeAll(from: first, through: descriptor - 1)
            first = descriptor + 1
        }
        ProcessControl.closeAll(from: first)
    }

    private static func prepareProcess(_ rights: HostRights) throws(SystemError) {
        // Each sandbox takes some fifteen descriptors here and four in the spooler.
        ResourceLimit.openFiles.raise(aboveHard: false)
        // The launcher's own bound what all its sandboxes have together, beside the limit of each (`CommandLimits`).
        let shared: [ResourceLimit] = [.processes, .lockedBytes, .pendingSignals, .messageQueueBytes, .fileBytes]
        for limit in shared { limit.raise() }
        // A peer that is gone shows as EPIPE.
        signal(SIGPIPE, SIG_IGN)
        // Every mode is given where a file is made.
        umask(0)
        if rights.hides { try ProcessControl.hideFromPeers() }
        try MountWorkshop.leaveHost()
    }
}
