import Glibc
import LinuxSystem

/// The cgroup that systemd's user manager gives an ordinary user to divide (systemd-run(1), `--user --scope`).
public enum UserDelegation {
    case given(Scope)
    /// For this reason, with what to do.
    case missing(reason: String)

    /// How a program is started in a scope of its own.
    public struct Scope: Sendable {
        public let words: [String]
        public let environment: [String]
    }

    private static let program = "/usr/bin/systemd-run"
    private static let needed = ["cpu", "memory", "pids"]

    /// What this process's user has.
    public static func find() -> UserDelegation {
        let user = geteuid()
        guard text("/sys/fs/cgroup/cgroup.controllers") != nil else {
            return .missing(
                reason: "cgroups of version 1 cannot be delegated; boot with systemd.unified_cgroup_hierarchy=1")
        }
        let runtime = getenv("XDG_RUNTIME_DIR").map { String(cString: $0) } ?? "/run/user/\(user)"
        guard access("\(runtime)/systemd/private", F_OK) == 0, access(program, X_OK) == 0 else {
            return .missing(
                reason: "systemd runs no user manager for you; log in, with libpam-systemd installed, or run as root: "
                    + "loginctl enable-linger \(user)")
        }
        let manager = "/sys/fs/cgroup/user.slice/user-\(user).slice/user@\(user).service"
        let given = (text("\(manager)/cgroup.controllers") ?? "").split { $0 == " " || $0 == "\n" }.map(String.init)
        let missing = needed.filter { !given.contains($0) }
        guard missing.isEmpty else {
            return .missing(
                reason: "systemd delegates no \(missing.joined(separator: ", ")) to you; put Delegate=cpu memory pids "
                    + "into [Service] with: systemctl edit user@.service")
        }
        return .given(
            Scope(
                // Sandboxes have limits of their own; one for all of them together would cut the largest. By its name
                // the launcher knows that the scope is its own (`CgroupTree`).
                words: [
                    program, "--user", "--scope", "--quiet", "--collect", "--unit=sandpool-launcher-\(getpid())",
                    "--property=Delegate=yes", "--property=TasksMax=infinity", "--",
                ],
                environment: ["XDG_RUNTIME_DIR=\(runtime)"]))
    }

    /// Why this process's user can have no limits, with what to do. Nil: he can. Commands that refuse a limit
    /// (`HostGaps`) and the launcher that could not keep it (`HostRights`) say this and nothing else.
    public static var lack: String? {
        if case .missing(let reason) = find() { return reason }
        return nil
    }

    private static func text(_ path: String) -> String? {
        guard let bytes = try? FileDescriptor.open(path, O_RDONLY).readAll(limit: 4_096) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}
