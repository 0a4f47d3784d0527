import Glibc

/// Where things are kept unless the user says otherwise: in `$SANDPOOL_DATA_DIR`, else for root under
/// `/var/lib/sandpool` and for others in their XDG data directory.
enum DataDirectories {
    static func standard(_ part: String) -> String { base + "/" + part }

    /// What `--local` keeps; root and users share nothing.
    static var local: String { standard("local") }

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
