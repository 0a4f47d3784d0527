import Glibc
import LinuxSystem

/// A user of the sandbox, from the image's own `/etc/passwd` and `/etc/group` (passwd(5), group(5)).
///
/// Read as bytes, since this is done in every sandbox: text would be looked at character by character.
struct Account: Equatable {
    var user: uid_t
    var group: gid_t
    var groups: [gid_t]
    var home: String

    /// `name` is a name, or a number up to 65535, which needs no entry.
    ///
    /// - Parameter ids: what the sandbox has; an account outside of it is refused.
    static func find(_ name: String, in root: FileDescriptor, _ ids: IdSpace) throws(StageError) -> Account {
        let account = try look(name, in: root)
        if account.user < ids.count, account.group < ids.count { return account }
        throw StageError(
            "user",
            "user \(name): without root and subordinate ids a sandbox has no user but 0; "
                + "install uidmap and add ranges for you to /etc/subuid and /etc/subgid", kind: .spec)
    }

    private static func look(_ name: String, in root: FileDescriptor) throws(StageError) -> Account {
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

    private typealias Field = ArraySlice<UInt8>

    private static func entry(in passwd: [UInt8], name: String, number: UInt32?) -> (name: Field, account: Account)? {
        let wanted = Array(name.utf8)
        for line in Lines(file: passwd) {
            let fields = fields(of: line)
            guard fields.count >= 6, let user = id(fields[2]), let group = id(fields[3]) else { continue }
            if fields[0].elementsEqual(wanted) || user == number {
                let home = fields[5].isEmpty ? "/" : String(decoding: fields[5], as: UTF8.self)
                return (fields[0], Account(user: user, group: group, groups: [], home: home))
            }
        }
        return nil
    }

    private static func memberships(of name: Field, in groups: [UInt8]) -> [gid_t] {
        var found: [gid_t] = []
        // Most groups list nobody, and end so.
        for line in Lines(file: groups) where found.count < 1_024 && line.last != colon {
            let fields = fields(of: line)
            guard fields.count >= 4, !fields[3].isEmpty, let number = id(fields[2]) else { continue }
            if fields[3].split(separator: UInt8(ascii: ",")).contains(where: { $0.elementsEqual(name) }) {
                found.append(number)
            }
        }
        return found
    }

    private static let colon = UInt8(ascii: ":")

    private static func fields(of line: Field) -> [Field] {
        line.split(separator: colon, omittingEmptySubsequences: false)
    }

    /// The lines of a file, found as they are asked for: most accounts stand at its start.
    private struct Lines: Sequence, IteratorProtocol {
        private var rest: Field

        init(file: [UInt8]) { rest = file[...] }

        mutating func next() -> Field? {
            guard !rest.isEmpty else { return nil }
            let end = rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.endIndex
            defer { rest = rest[Swift.min(end + 1, rest.endIndex)...] }
            return rest[..<end]
        }
    }

    private static func id(_ field: Field) -> UInt32? {
        UInt32(String(decoding: field, as: UTF8.self)).flatMap { $0 < IdMap.count ? $0 : nil }
    }

    /// Empty when the image has no such file. A fifo or device in its place is not waited for.
    private static func content(of path: String, in root: FileDescriptor) throws(StageError) -> [UInt8] {
        do throws(SystemError) {
            let file = try root.openInRoot(path, O_RDONLY | O_NONBLOCK)
            var state = stat()
            guard fstat(file.raw, &state) == 0, state.st_mode & S_IFMT == S_IFREG else { return [] }
            return try file.readAll(limit: 4 << 20)
        } catch {
            if error.code == ENOENT || error.code == ENOTDIR { return [] }
            throw StageError("user", "/\(path): \(error)", code: error.code, kind: .ofImage(error.code))
        }
    }
}
