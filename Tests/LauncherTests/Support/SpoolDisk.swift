import Foundation
import LinuxSystem

/// A file system of its own under a launcher's spools, in a mount namespace that goes with the launcher.
enum SpoolDisk {
    /// Words before the launcher's; `script` mounts something at "$3/spool".
    static func prefix(_ script: String) -> [String] {
        let all = "mkdir -p \"$3/spool\" && \(script) && exec \"$@\""
        return ["/usr/bin/unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", all, "sh"]
    }

    static func path(_ process: LauncherProcess) -> String { process.dataDirectory + "/spool" }

    /// The same directory, for a process outside of the launcher's namespace.
    static func visiblePath(_ process: LauncherProcess) -> String { "/proc/\(process.pid)/root\(path(process))" }

    /// Words before a command that run it in the launcher's mount namespace.
    static func enter(_ process: LauncherProcess) -> [String] {
        ["/usr/bin/nsenter", "--mount=/proc/\(process.pid)/ns/mnt"]
    }
}
