import LinuxSystem
import SandpoolSandbox

/// Ways in which sandboxes end, one after the other, and what has to be said of each.
enum MixedEnd: CaseIterable {
    case success, code, signal, daemon, missing, unknownUser, openNetwork, mount, workdir, timeout, cancel, oom

    /// A layer that was imported, for `mount`.
    static let layer = "tree"

    func plan(_ id: String) -> SandboxPlan {
        switch self {
        case .success: return .test("/bin/true", id: id)
        case .code: return .shell("exit 42", id: id)
        case .signal: return .shell("kill -SEGV $$", id: id)
        case .daemon: return .shell("(setsid sleep 1000 &); (setsid sleep 1000 &); echo x > /tmp/x; exit 3", id: id)
        case .missing: return .test("/no/such/program", id: id)
        case .unknownUser: return .test("/bin/true", id: id, user: "nobody-here")
        case .openNetwork:
            var plan = SandboxPlan.test("/bin/true", id: id)
            plan.network = .open(allowCIDRs: ["203.0.113.0/24"], allowDomains: [], openedCIDRs: [])
            return plan
        case .mount:
            return .test(
                "/bin/sh", "-c", "cat /work/in && echo changed > /work/in", id: id,
                mounts: [.init(layer: Self.layer, path: "/work", isFile: false)])
        case .workdir: return .test("/bin/true", id: id, workingDirectory: "/etc/passwd")
        case .timeout: return .test("/bin/sleep", "1000", id: id, timeoutMs: 20, graceMs: 0)
        case .cancel: return .test("/bin/sleep", "1000", id: id)
        case .oom:
            let script = "my $x = 'x' x (256 << 20); sleep 1000"
            return .test("/usr/bin/perl", "-e", script, id: id, memory: 32 << 20, disk: 1 << 20)
        }
    }

    /// Whether a start may fail like this.
    func accepts(_ failure: SandboxFailure) -> Bool {
        switch self {
        case .missing: failure.kind == .commandNotFound
        case .unknownUser: failure.stage == "user"
        case .workdir: failure.stage == "workdir"
        default: false
        }
    }

    func accepts(_ report: ExitReport) -> Bool {
        switch self {
        case .success, .openNetwork, .mount:
            report.end == .exited(code: 0) && report.reason == .none
        case .code: report.end == .exited(code: 42)
        case .signal: report.end == .signaled(signal: 11)
        case .daemon: report.end == .exited(code: 3)
        case .timeout: report.reason == .timeout
        case .cancel: report.reason == .cancelled
        case .oom: report.oomKills > 0 && report.reason == .none
        case .missing, .unknownUser, .workdir: false
        }
    }
}

extension LauncherClient {
    /// Runs `count` sandboxes of every kind in turn, `parallel` at once.
    func runMixed(_ count: Int, parallel: Int, name: String) throws {
        var (begun, ended) = (0, 0)
        var kinds: [String: MixedEnd] = [:]
        func begin() throws {
            guard begun < count else { return }
            let id = "\(name)-\(begun)"
            let kind = MixedEnd.allCases[begun % MixedEnd.allCases.count]
            begun += 1
            kinds[id] = kind
            try request(kind.plan(id))
        }
        for _ in 0..<min(parallel, count) { try begin() }
        while ended < count {
            switch try next().0 {
            case .started(let id, _):
                if kinds[id] == .cancel { try send(.cancel(id: id, graceMs: 0)) }
                continue
            case .failed(let id, let failure):
                guard let kind = kinds.removeValue(forKey: id), kind.accepts(failure) else {
                    throw TestFailure("\(id): \(failure)")
                }
            case .exited(let id, let report):
                try send(.release(id: id))
                guard let kind = kinds.removeValue(forKey: id), kind.accepts(report) else {
                    throw TestFailure("\(id): \(report)")
                }
            case let event: throw TestFailure("\(event)")
            }
            ended += 1
            try begin()
        }
    }
}
