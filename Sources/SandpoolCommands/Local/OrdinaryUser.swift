import Glibc
import SandpoolModel

/// What `--local` has without root.
enum OrdinaryUser {
    /// What this host cannot do for who runs this; nothing for root.
    static var gaps: HostGaps {
        var gaps = HostGaps()
        guard geteuid() != 0 else { return gaps }
        gaps.unlimitedBecause = "without root this host delegates no cgroup to you; run with sudo"
        gaps.blockedBecause = "without root a sandbox has only its loopback; run with sudo"
        return gaps
    }
}
