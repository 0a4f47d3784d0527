import CLinux
import Glibc
import LinuxSystem

/// Ids that the host set aside for an ordinary user: subuid(5), subgid(5), given out by newuidmap(1) and newgidmap(1).
struct SubordinateIDs {
    private struct Range {
        var first: UInt32
        var count: UInt32
    }

    private let user: uid_t
    private let group: gid_t
    private let users: Range
    private let groups: Range

    private static let newuidmap = "/usr/bin/newuidmap"
    private static let newgidmap = "/usr/bin/newgidmap"
    /// With the user himself as 0, as many as a sandbox has.
    private static let needed = IdMap.count - 1

    /// Nil where the user has none, or not enough.
    init?(user: uid_t, group: gid_t) {
        guard access(Self.newuidmap, X_OK) == 0, access(Self.newgidmap, X_OK) == 0,
            let etc = try? FileDescriptor.open("/etc", O_PATH | O_DIRECTORY)
        else { return nil }
        let passwd = (try? etc.read("passwd", limit: 4 << 20)) ?? ""
        let owner = AccountFile.name(ofUser: user, in: passwd)
        func range(_ file: String) -> Range? {
            (try? etc.read(file, limit: 4 << 20)).flatMap { Self.range(of: owner, user, in: $0) }
        }
        guard let users = range("subuid"), let groups = range("subgid") else { return nil }
        self.user = user
        self.group = group
        self.users = users
        self.groups = groups
    }

    /// The first range that is large enough, of an entry by name or by number.
    private static func range(of owner: String?, _ user: uid_t, in text: String) -> Range? {
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            guard fields.count == 3, fields[0] == "\(user)" || owner.map({ fields[0] == $0 }) ?? false,
                let first = UInt32(fields[1]), let count = UInt32(fields[2]), count >= needed
            else { continue }
            return Range(first: first, count: needed)
        }
        return nil
    }

    /// A child in the user namespace that the calling process is about to leave: only from there may the two
    /// programs give out ids. It maps them once it is told to, and ends with 0 when it could.
    func makeMapper() throws(SystemError) -> Mapper {
        let process = getpid()
        let go = try Pipe()
        let child = try ChildProcess.clone {
            close(go.writeEnd.raw)
            var byte: UInt8 = 0
            guard read(go.readEnd.raw, &byte, 1) == 1 else { _exit(Mapper.nothing) }
            // Groups first: where they are refused nothing is written yet, and one id can still be had.
            if !Self.run(Self.newgidmap, process, group, groups) { _exit(Mapper.nothing) }
            _exit(Self.run(Self.newuidmap, process, user, users) ? Mapper.done : Mapper.half)
        }
        return Mapper(child: child, go: go.writeEnd)
    }

    private static func run(_ program: String, _ process: pid_t, _ own: UInt32, _ range: Range) -> Bool {
        let arguments = ProgramWords([
            program, "\(process)", "0", "\(own)", "1", "1", "\(range.first)", "\(range.count)",
        ])
        let environment = ProgramWords([])
        let pid = try? ChildProcess.spawn {
            // What they say is said again, with what to do, by doctor.
            let null = open("/dev/null", O_RDWR)
            for number in Int32(0)...2 { dup2(null, number) }
            ProcessControl.closeAll(from: 3)
            execve(program, arguments.pointers, environment.pointers)
            _exit(127)
        }
        guard let pid else { return false }
        var status: Int32 = -1
        return waitpid(pid, &status, 0) == pid && status == 0
    }

    struct Mapper {
        fileprivate static let done: Int32 = 0
        fileprivate static let nothing: Int32 = 1
        fileprivate static let half: Int32 = 2

        fileprivate let child: ChildProcess
        fileprivate let go: FileDescriptor

        /// Called in the new user namespace. False when nothing was mapped.
        func map() throws(SystemError) -> Bool {
            try go.writeAll([1])
            switch Int32(try child.reap().exitCode) {
            case Self.done: return true
            case Self.nothing: return false
            default: throw SystemError("newuidmap, after newgidmap had mapped the groups", code: EPERM)
            }
        }

        /// Where there is no namespace to map.
        func giveUp() {
            try? child.send(SIGKILL)
            _ = try? child.reap()
        }
    }
}
