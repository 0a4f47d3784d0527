import Glibc
import LinuxSystem

/// The launcher's program.
public enum LauncherMain {
    /// Runs until its work is over; returns the exit code.
    public static func run(_ arguments: [String]) -> Int32 {
        do {
            let options = try LauncherOptions(arguments)
            guard geteuid() == 0 else { throw LauncherError("must run as root") }
            try prepareProcess(options.mode)
            let launcher = try Launcher(dataDirectory: options.dataDirectory)
            let stop = try StopSignals(launcher)
            defer { withExtendedLifetime(stop) { launcher.removeTraces() } }
            switch options.mode {
            case .floor(let count, let parallel):
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
        } catch let error as OptionError {
            Diagnostics.write("\(error); \(LauncherOptions.usage)")
            return 2
        } catch {
            Diagnostics.write("\(error)")
            return 1
        }
    }

    private static func prepareProcess(_ mode: LauncherOptions.Mode) throws(SystemError) {
        // What it was started with by accident would stay open as long as it lives: the end of somebody's pipe.
        var first: Int32 = 3
        if case .connected(let descriptor) = mode {
            ProcessControl.closeAll(from: first, through: descriptor - 1)
            first = descriptor + 1
        }
        ProcessControl.closeAll(from: first)
        // Each sandbox takes some fifteen descriptors here and four in the spooler.
        ProcessControl.raiseDescriptorLimit()
        // A peer that is gone shows as EPIPE.
        signal(SIGPIPE, SIG_IGN)
        // Every mode is given where a file is made.
        umask(0)
        // Descriptors 0 to 2 are always somebody's: a pipe must never get one of these numbers.
        while try FileDescriptor.openRaw("/dev/null") < 3 {}
        try ProcessControl.hideFromPeers()
        try MountWorkshop.leaveHost()
    }
}
