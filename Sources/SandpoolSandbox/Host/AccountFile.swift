import Glibc
import LinuxSystem

/// `/etc/passwd` and `/etc/group` of the host, reduced to what programs look up: root, nobody and the system
/// accounts. People who have an account on the host do not show in a sandbox.
enum AccountFile {
    static func systemEntries(of text: String) -> String {
        var lines: [Substring] = []
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            guard fields.count >= 4, let number = UInt32(fields[2]) else { continue }
            if number < 1_000 || number == 65_534 { lines.append(line) }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The first name of a user id in the text of a passwd(5) file.
    static func name(ofUser user: UInt32, in text: String) -> String? {
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            if fields.count >= 4, UInt32(fields[2]) == user { return String(fields[0]) }
        }
        return nil
    }

    /// The user id of a name in the text of a passwd(5) file.
    static func user(named name: String, in text: String) -> UInt32? {
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            if fields.count >= 4, fields[0] == name { return UInt32(fields[2]) }
        }
        return nil
    }
}

extension LauncherOptions.Peer {
    /// Looks a name up in the file alone: a static program has no name service (nsswitch.conf(5)).
    func userID() throws -> UInt32 {
        switch self {
        case .user(let number): return number
        case .named(let name):
            let text = try FileDescriptor.open("/etc", O_PATH | O_DIRECTORY).read("passwd", limit: 4 << 20)
            guard let user = AccountFile.user(named: name, in: text) else {
                throw LauncherError("--peer-user \(name) is not in /etc/passwd; add the user, or give --peer-uid")
            }
            return user
        }
    }
}
