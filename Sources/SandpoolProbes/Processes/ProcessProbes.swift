import CLinux
import Glibc
import LinuxSystem

/// Ways to more privileges, and processes that will not go.
enum ProcessProbes {
    static let all: [Probe] = [
        Probe(
            "setuid-program", .processes, "become root through a setuid program", behind: [.noNewPrivileges, .noSetUID]
        ) { around in
            guard let path = around.setUIDProgram else { return .notRun("no bait was laid out") }
            return setUID(path)
        },
        Probe(
            "file-capabilities", .processes, "give a program capabilities", behind: [.seccomp, .capabilities]
        ) { _ in
            fileCapabilities()
        },
        Probe("change-user", .processes, "become another user", behind: [.seccomp, .capabilities]) { _ in
            let other = getuid() == 0 ? 1_000 : 0
            return Answer(__NR_setresuid, other, other, other).outcome("setresuid \(other)")
        },
        Probe("change-groups", .processes, "join other groups", behind: [.seccomp, .capabilities]) { _ in
            withMemory(8, [0: 42]) { Answer(__NR_setgroups, 1, $0).outcome("setgroups") }
        },
        Probe("raise-limits", .processes, "raise its own limits", behind: [.seccomp, .capabilities, .userNamespace]) {
            _ in
            raiseLimits()
        },
        Probe("zombies", .processes, "leave processes that nobody reaps", behind: [.firstProcess]) { _ in zombies() },
    ]

    private static func setUID(_ path: String) -> Outcome {
        if geteuid() == 0 { return .notRun("it is root already") }
        guard let child = Child.fork({ execute(path) }) else { return .notRun("fork: \(Answer.text(errno))") }
        guard let code = child.exitCode(), code != 125 else { return .notRun("\(path) did not run") }
        return code == 0 ? .through("\(path) ran as root") : .held("\(path) ran as itself")
    }

    private static func execute(_ path: String) -> Never {
        var arguments: [UnsafeMutablePointer<CChar>?] = [strdup(path), nil]
        execv(path, &arguments)
        _exit(125)
    }

    /// VFS_CAP_REVISION_2 with CAP_SYS_ADMIN permitted (capabilities(7)).
    private static func fileCapabilities() -> Outcome {
        Place.withDirectory { directory in
            let path = "\(directory)/program"
            let file = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0o755)
            guard file >= 0 else { return .notRun("\(path): \(Answer.text(errno))") }
            close(file)
            let value: [UInt32] = [0x0200_0001, 1 << 21, 0, 0, 0]
            return Answer(of: setxattr(path, "security.capability", value, 20, 0)).outcome(
                "setxattr security.capability")
        }
    }

    private static func raiseLimits() -> Outcome {
        var limit = rlimit()
        guard getrlimit(OpenFiles.kind, &limit) == 0 else { return .notRun("getrlimit: \(Answer.text(errno))") }
        limit.rlim_max += 1
        return Answer(of: setrlimit(OpenFiles.kind, &limit)).outcome("setrlimit RLIMIT_NOFILE")
    }

    /// Orphans become pid 1's children; their number must come down by itself.
    private static func zombies() -> Outcome {
        for _ in 0..<32 {
            guard
                let child = Child.fork({
                    guard Child.fork({ _exit(0) }) != nil else { _exit(1) }
                    _exit(0)
                })
            else { return .notRun("fork: \(Answer.text(errno))") }
            if child.exitCode() != 0 { return .notRun("fork: \(Answer.text(EAGAIN))") }
        }
        // On a busy host pid 1 may have to wait for its turn.
        let end = BoottimeClock.milliseconds() + 5_000
        while BoottimeClock.milliseconds() < end {
            let processes = Place.names("/proc").filter { Int32($0) != nil }
            if !processes.contains(where: isZombie) { return .held("all were reaped") }
            poll(nil, 0, 1)
        }
        return .through("zombies are left")
    }

    private static func isZombie(_ process: String) -> Bool { PostureProbes.status("State", of: process) == "Z" }
}
