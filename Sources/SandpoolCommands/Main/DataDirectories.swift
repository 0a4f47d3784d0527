import Glibc
import Sandpool

/// Where things are kept unless the user says otherwise: in `$SANDPOOL_DATA_DIR`, else for root under
/// `/var/lib/sandpool` and for others in their XDG data directory.
enum DataDirectories {
    static func standard(_ part: String) -> String { base + "/" + part }

    /// What `--local` keeps; root and users share nothing.
    static var local: String { standard("local") }

    /// Where a client notes how far it is with jobs that it may have to take up again: beside root's other data, and in
    /// others' XDG state directory.
    static var clientState: String {
        get throws {
            if let directory = variable("SANDPOOL_DATA_DIR"), directory.hasPrefix("/") { return directory + "/client" }
            if geteuid() == 0 { return "/var/lib/sandpool/client" }
            if let state = variable("XDG_STATE_HOME"), state.hasPrefix("/") { return state + "/sandpool" }
            if let home = variable("HOME"), home.hasPrefix("/") { return home + "/.local/state/sandpool" }
            throw SandpoolError(
                code: "no_home", message: "neither HOME nor XDG_STATE_HOME is set", hint: "set one of them")
        }
    }

    /// Makes a directory that only this user may look into, and those above it.
    static func makePrivate(_ path: String) throws {
        let parts = path.split(separator: "/")
        var prefix = ""
        for (index, part) in parts.enumerated() {
            prefix += "/\(part)"
            // Above it, others may have their own: the worker's user passes through /var/lib/sandpool.
            if mkdir(prefix, index == parts.count - 1 ? 0o700 : 0o755) != 0, errno != EEXIST {
                throw SandpoolError(
                    code: "local_failed", message: "cannot make \(prefix): \(String(cString: strerror(errno)))",
                    hint: "set SANDPOOL_DATA_DIR to a directory of your own")
            }
        }
    }

    private static var base: String {
        if let directory = variable("SANDPOOL_DATA_DIR"), directory.hasPrefix("/") { return directory }
        if geteuid() == 0 { return "/var/lib/sandpool" }
        if let data = variable("XDG_DATA_HOME"), data.hasPrefix("/") { return data + "/sandpool" }
        return (variable("HOME") ?? "/") + "/.local/share/sandpool"
    }

    private static func variable(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }
}
