import CLinux
import Glibc

/// More processes and descriptors than a sandbox may have.
enum ProcessLimitProbes {
    static let all: [Probe] = [
        Probe("fork-bomb", .exhaustion, "more processes than its limit", behind: [.cgroup]) { around in
            forkBomb(around.pids + around.pids / 4)
        },
        Probe("descriptor-bomb", .exhaustion, "more open files than its limit", behind: []) { _ in descriptorBomb() },
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
    private static func descriptorBomb() -> Outcome {
        let files = __rlimit_resource_t(7)
        var limit = rlimit()
        getrlimit(files, &limit)
        limit.rlim_cur = limit.rlim_max
        setrlimit(files, &limit)
        let bound = 1 << 20
        for count in 0..<bound where dup(0) < 0 { return .held("after \(count): \(Answer.text(errno))") }
        return .through("\(bound) descriptors were opened")
    }
}
