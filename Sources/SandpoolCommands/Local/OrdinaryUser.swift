import Glibc
import SandpoolModel
import SandpoolWorker

/// What `--local` has without root.
enum OrdinaryUser {
    /// What this host cannot do for who runs this; nothing for root.
    static var gaps: HostGaps {
        var gaps = HostGaps()
        guard geteuid() != 0 else { return gaps }
        gaps.unlimitedBecause = LauncherProgram.lackOfLimits
        gaps.blockedBecause = LauncherProgram.lackOfNetwork?.text
        return gaps
    }
}
