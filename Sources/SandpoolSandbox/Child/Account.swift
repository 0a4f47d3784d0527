import Glibc
import LinuxSystem

/// A user of the sandbox, from the image's own `/etc/passwd` and `/etc/group` (passwd(5), group(5)).
struct Account: Equatable {
    var user: uid_t
    var group: gid_t
    var groups: [gid_t]
    var home: String

    /// `name` is a name, or a number up to 65535, which needs no entry.
    static func find(_ name: String, in root: FileDescriptor) throws(StageError) -> Account {
        let number = UInt32(name)
        if let number, number >= IdMap.count {
            throw StageError("user", "user \(name): a uid in a sandbox is at most 65535", kind: .spec)
        }
        let passwd = try content(of: "etc/passwd", in: root)
        guard let entry = entry(in: passwd, name: name, number: number) else {
            guard let number else {
                throw StageError("user", "user \(name) is not in the image's /etc/passwd", kind: .spec)
            }
            return Account(user: number, group: 0, groups: [], home: number == 0 ? "/root" : "/")
        }
        var account = entry.account
        let groups = try content(of: "etc/group", in: root)
        account.groups = memberships(of: entry.name, in: groups)
        return account
    }

    private static func entry(in passwd: String, name: String, number: UInt32?) -> (name: String, account: Account)? {
        for line in passwd.split(separator: "\n") {
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            guard fields.count >= 6, let user = UInt32(fields[2]), let group = UInt32(fields[3]),
                user < IdMap.count, group < IdMap.count
            else { continue }
            if fields[0] == name || user == number {
                let home = fields[5].isEmpty ? "/" : String(fields[5])
                return (String(fields[0]), Account(user: user, group: group, groups: [], home: home))
            }
        }
        return nil
    }

    private static func memberships(of name: String, in groups: String) -> [gid_t] {
        var found: [gid_t] = []
        for line in groups.split(separator: "\n") where found.count < 1_024 {
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            guard fields.count >= 4, let number = UInt32(fields[2]), number < IdMap.count else { continue }
            if fields[3].split(separator: ",").contains(where: { $0 == name }) { found.append(number) }
        }
        return found
    }

    /// Empty when the image has no such file. A fifo or device in its place is not waited for.
    private static func content(of path: String, in root: FileDescriptor) throws(StageError) -> String {
        do throws(SystemError) {
            let file = try root.openInRoot(path, O_RDONLY | O_NONBLOCK)
            var state = stat()
            guard fstat(file.raw, &state) == 0, state.st_mode & S_IFMT == S_IFREG else { return "" }
            return String(decoding: try file.readAll(limit: 4 << 20), as: UTF8.self)
        } catch {
            if error.code == ENOENT || error.code == ENOTDIR { return "" }
            throw StageError("user", "/\(path): \(error)", code: error.code, kind: .spec)
        }
    }
}
