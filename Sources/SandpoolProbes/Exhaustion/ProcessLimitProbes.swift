import CLinux
import Glibc

/// More processes and descriptors than a sandbox may have.
enum ProcessLimitProbes {
    static let all: [Probe] = [
        Probe("fork-bomb", .exhaustion, "more processes than its limit", behind: [.cgroup]) { around in
            forkBomb(around.pids + around.pids / 4)
        },
        Probe("descriptor-bomb", .exhaustion, "more open files than its limit", behind: [.resourceLimits]) { around in
            descriptorBomb(around.files + around.files / 4)
        },
    ]

    private static func forkBomb(_ wanted: Int) -> Outcome {
        var children: [Child] = []
        defer {
            for child in children { kill(child.pid, SIGKILL) }
            for child in children { child.wait() }
        }
        while children.count < wanted {
            guard let child = Child.fork({ while true { pause() } }) else {
                return .held("after \(children.count) processes: \(Answer.text(errno))")
            }
            children.append(child)
        }
        return .through("\(wanted) processes were made")
    }

    /// As many as the hard limit lets it have, in this process alone.
    private static func descriptorBomb(_ wanted: Int) -> Outcome {
        OpenFiles.raise()
        for count in 0..<wanted where dup(0) < 0 { return .held("after \(count): \(Answer.text(errno))") }
        return .through("\(wanted) descriptors were opened")
    }
}

/// RLIMIT_NOFILE (getrlimit(2)).
enum OpenFiles {
    static let kind = __rlimit_resource_t(7)

    /// As far as anybody may.
    static func raise() {
        var limit = rlimit()
        guard getrlimit(kind, &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(kind, &limit)
    }
}
