import Glibc
import LinuxSystem
import SandpoolWorker

/// What sandboxes without root need. For root it is worth knowing and nothing more.
enum OrdinaryUserChecks {
    static var all: [HostCheck] { [userNamespaces] + (isOrdinary ? [limits, network, removals] : []) }

    private static let isOrdinary = geteuid() != 0

    /// Tried, not guessed: what forbids it is not always a setting.
    private static var userNamespaces: HostCheck {
        let restriction = UserNamespaceRestriction.found
        let isGiven = isOrdinary ? LauncherProgram.makesUserNamespace : restriction == nil
        return HostCheck(
            "user namespaces", isGiven, isRequired: isOrdinary,
            "without root: \(isGiven ? "allowed" : restriction?.words ?? "refused")",
            fix: restriction?.fix ?? "leave the chroot or container, or allow user namespaces in it; or run with sudo")
    }

    private static var limits: HostCheck {
        let reason = LauncherProgram.lackOfLimits
        return HostCheck(
            "limits", reason == nil, isRequired: false,
            reason == nil ? "a cgroup is delegated to you" : "no --cpus, --memory and --pids",
            fix: reason ?? "")
    }

    /// Tried where nothing that it needs is missing: a security module may still forbid it.
    private static var network: HostCheck {
        let lack = LauncherProgram.lackOfNetwork
        let reason = lack?.what ?? LauncherProgram.networkTrial()
        return HostCheck(
            "open network", reason == nil, isRequired: false, reason ?? "without root: by pasta",
            fix: "\(lack?.fix ?? "see what stands against pasta"), or run with sudo; blocked networks work")
    }

    /// Overlay notes in an attribute that a directory hides the image's; a sandbox's own files are in a tmpfs.
    private static var removals: HostCheck {
        let areKept = MemoryFileAttributes.areKept
        return HostCheck(
            "removals", areKept, isRequired: false,
            areKept
                ? "directories of an image or mount can be removed and made again"
                : "no directory of an image or mount that has something in it can be removed (EIO)",
            fix: "use Linux 6.6 or newer, or run with sudo")
    }
}

/// A setting of this host that keeps user namespaces from ordinary users.
enum UserNamespaceRestriction {
    case switchedOff
    case appArmor

    static var found: UserNamespaceRestriction? {
        if (HostFile.number("/proc/sys/user/max_user_namespaces") ?? 0) == 0 { return .switchedOff }
        // Debian's own, gone from newer kernels.
        if HostFile.number("/proc/sys/kernel/unprivileged_userns_clone") == 0 { return .switchedOff }
        let isRestricted = HostFile.number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1
        return isRestricted && !HostFile.exists(profile) ? .appArmor : nil
    }

    /// Where `deploy/apparmor/sandpool-launcher` goes.
    private static let profile = "/etc/apparmor.d/sandpool-launcher"

    var words: String {
        switch self {
        case .switchedOff: "switched off"
        case .appArmor: "restricted by AppArmor"
        }
    }

    var fix: String {
        switch self {
        case .switchedOff: "sysctl user.max_user_namespaces=15000 kernel.unprivileged_userns_clone=1"
        case .appArmor:
            "install share/sandpool/apparmor/sandpool-launcher in /etc/apparmor.d and run apparmor_parser -r on it, "
                + "or sysctl kernel.apparmor_restrict_unprivileged_userns=0"
        }
    }
}
