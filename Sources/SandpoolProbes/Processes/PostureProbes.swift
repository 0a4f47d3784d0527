import CLinux
import Glibc

/// What the process itself was left with.
enum PostureProbes {
    static let all: [Probe] = [
        Probe("capability-sets", .processes, "have a capability in any set", behind: [.capabilities]) { _ in
            capabilities()
        },
        Probe("no-new-privileges", .processes, "run without no_new_privs", behind: [.noNewPrivileges]) { _ in
            field("NoNewPrivs", is: "1")
        },
        Probe("seccomp-filter", .processes, "run without a filter", behind: [.seccomp]) { _ in field("Seccomp", is: "2")
        },
        Probe("id-map", .processes, "be root on the host", behind: [.userNamespace]) { _ in identity() },
        Probe("descriptors", .processes, "find open files that it was not given", behind: [.closedDescriptors]) { _ in
            descriptors()
        },
        Probe("environment", .processes, "find variables of the host", behind: [.cleanEnvironment]) { _ in
            environment()
        },
    ]

    /// The value of a line of proc_pid_status(5).
    static func status(_ name: String, of process: String = "self") -> String? {
        for line in Place.text("/proc/\(process)/status").split(separator: "\n") where line.hasPrefix("\(name):") {
            return line.dropFirst(name.utf8.count + 1).split(whereSeparator: { $0 == "\t" || $0 == " " }).first
                .map(String.init)
        }
        return nil
    }

    private static func field(_ name: String, is wanted: String) -> Outcome {
        guard let value = status(name) else { return .notRun("/proc/self/status has no \(name)") }
        return value == wanted ? .held("\(name) is \(value)") : .through("\(name) is \(value)")
    }

    private static func capabilities() -> Outcome {
        for name in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
            guard let value = status(name) else { return .notRun("/proc/self/status has no \(name)") }
            if value.contains(where: { $0 != "0" }) { return .through("\(name) is \(value)") }
        }
        return .held("every set is empty")
    }

    /// No user inside may be root outside.
    /// Settings of the kernel are files of the host's root, whom a namespace that has no id for him shows as the
    /// overflow user (user_namespaces(7)). The map itself says only who is who in the namespace above.
    private static func identity() -> Outcome {
        let overflow = Place.text("/proc/sys/kernel/overflowuid").split(separator: "\n").first.flatMap { UInt32($0) }
        var state = stat()
        guard let overflow, stat("/proc/sys/kernel/ostype", &state) == 0 else {
            return .notRun("/proc/sys/kernel cannot be read: \(Answer.text(errno))")
        }
        if state.st_uid != overflow { return .through("uid \(state.st_uid) is root on the host") }
        return .held("the host's root has no id here")
    }

    private static func descriptors() -> Outcome {
        // Of its parent, the program as it was started: this process has a pipe of its own.
        let open = Place.names("/proc/\(getppid())/fd").compactMap { Int32($0) }.sorted()
        guard !open.isEmpty else { return .notRun("/proc/\(getppid())/fd cannot be read") }
        for number in open where number > 2 {
            // Nil where it was closed meanwhile: the program's end of the pipe for this very answer.
            guard let target = link("/proc/\(getppid())/fd/\(number)"), !target.hasPrefix("pipe:") else { continue }
            return .through("descriptor \(number) is \(target)")
        }
        return .held("nothing but the standard streams")
    }

    private static func link(_ path: String) -> String? {
        var buffer = [CChar](repeating: 0, count: 4_096)
        let count = readlink(path, &buffer, buffer.count)
        if count < 0, errno == ENOENT { return nil }
        return count > 0
            ? String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self) : "unreadable"
    }

    private static let ordinary: Set<String> = [
        "PATH", "HOME", "SANDPOOL_JOB_ID", "TERM", "PWD", "SHLVL", "_", "container", "LANG", "LC_ALL", "HOSTNAME",
    ]

    private static func environment() -> Outcome {
        for index in 0... {
            guard let entry = environ[index] else { break }
            let name = String(cString: entry).prefix { $0 != "=" }
            if !ordinary.contains(String(name)) { return .through("there is \(name)") }
        }
        return .held("nothing but what a job is given")
    }
}
