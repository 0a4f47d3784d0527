import Glibc
import LinuxSystem

/// The launcher's program.
public enum LauncherMain {
    /// Runs until its work is over; returns the exit code.
    public static func run(_ arguments: [String]) -> Int32 {
        if arguments == [LauncherOptions.trial] { return OwnNamespace.isGiven ? 0 : 1 }
        if arguments.first == LauncherOptions.stateTrial { return StateTrial.answer(Array(arguments.dropFirst())) }
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
            var handover = try options.state.map { number in try Handover(number) }
            closeInherited(options.mode, keeping: handover?.descriptors ?? [])
            let rights = geteuid() == 0 ? HostRights.root : try OwnNamespace.enter()
            try prepareProcess(rights, isNew: handover == nil)
            let launcher =
                if let handover {
                    try Launcher(
                        dataDirectory: options.dataDirectory, takingOver: handover.state, handover.inherited,
                        hasOldOverlays: options.hasOldOverlays)
                } else {
                    try Launcher(
                        dataDirectory: options.dataDirectory, rights, Composition(of: options.mode),
                        hasOldOverlays: options.hasOldOverlays)
                }
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
                let service = try LauncherService(launcher, keepsSandboxes: true, after: handover?.state)
                let listener = try LauncherListener(
                    path: path, peerUser: peerUser, service: service, loop: launcher.loop,
                    takingOver: try handover?.listener())
                try handover?.finish(service)
                let upgrade = options.program.map {
                    Upgrade(launcher, service, listener, path: $0, upgrades: handover?.state.upgrades ?? 0)
                }
                stop.onHangUp = { upgrade?.begin() }
                // Else what it holds would stay open.
                handover = nil
                let idleEnd = idle.map { IdleEnd(launcher, service, seconds: $0) }
                try launcher.loop.run()
                withExtendedLifetime((listener, idleEnd, upgrade)) {}
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
    ///
    /// - Parameter kept: what the program before in this process has left open for this one.
    private static func closeInherited(_ mode: LauncherOptions.Mode, keeping kept: [Int32]) {
        // Descriptors 0 to 2 are always somebody's: nothing else must ever get one of these numbers.
        while let raw = try? FileDescriptor.openRaw("/dev/null"), raw < 3 {}
        var kept = kept
        if case .connected(let descriptor) = mode { kept.append(descriptor) }
        ProcessControl.closeAll(exceptNumbers: kept)
    }

    private static func prepareProcess(_ rights: HostRights, isNew: Bool) throws(SystemError) {
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
        if isNew { try MountWorkshop.leaveHost() }
    }
}
