import Glibc
import LinuxSystem

/// Who the worker is after it has started its launcher as root.
struct UnprivilegedUser: Hashable, Sendable {
    let user: uid_t
    let group: gid_t

    /// For a host without a `sandpool` user: an id that nobody hands out (systemd's UIDS-GIDS table leaves
    /// 1879048192…2147352575 free). Not `nobody`, whose processes may trace each other and belong to anybody.
    static let fallback = UnprivilegedUser(user: 2_147_287_039, group: 2_147_287_039)

    /// - Parameter name: a user that has to exist, or `nil` for `sandpool` if it does, else `fallback`.
    static func find(_ name: String?) throws -> UnprivilegedUser {
        if let entry = getpwnam(name ?? "sandpool") {
            let found = UnprivilegedUser(user: entry.pointee.pw_uid, group: entry.pointee.pw_gid)
            guard found.user != 0 else { throw WorkerError("the worker cannot run as root; choose another --user") }
            return found
        }
        guard let name else { return fallback }
        throw WorkerError("there is no user \(name); make one with `useradd --system \(name)` or leave --user out")
    }

    /// Makes this process be that user for good: groups first, since the right to change them goes with the
    /// user. The C library does it for every thread (nptl(7)). Capabilities go with the last root id
    /// (capabilities(7), "Effect of user ID changes on capabilities").
    func become() throws {
        try systemCall("setgroups") { setgroups(0, nil) }
        try systemCall("setgid") { setgid(group) }
        try systemCall("setuid") { setuid(user) }
        guard setuid(0) != 0 else { throw WorkerError("root could be taken back after dropping it") }
    }
}
