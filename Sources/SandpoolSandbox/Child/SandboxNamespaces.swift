import Glibc
import LinuxSystem

/// The way into a sandbox's namespaces for one more command.
enum SandboxNamespaces {
    /// All that its pid 1 has, by the descriptor of that: setns(2), since Linux 5.8.
    case ofFirst(FileDescriptor)
    /// Opened before pid 1 hid from everybody who has no right over the host's user namespace, which an ordinary user's
    /// launcher has not (ptrace(2), "access mode checking"). The user namespace is the last: right over the others is
    /// the launcher's.
    case held([(kind: Namespaces, descriptor: FileDescriptor)])

    static func hold(_ first: ChildProcess, network: FileDescriptor) throws(SystemError) -> SandboxNamespaces {
        let directory = try FileDescriptor.open("/proc/\(first.pid)/ns", O_PATH | O_DIRECTORY)
        var held: [(kind: Namespaces, descriptor: FileDescriptor)] = [(.network, network)]
        let kinds: [(Namespaces, String)] = [
            (.ipc, "ipc"), (.uts, "uts"), (.pid, "pid"), (.mount, "mnt"), (.user, "user"),
        ]
        for (kind, name) in kinds { held.append((kind, try directory.open(name, O_RDONLY))) }
        return .held(held)
    }

    var descriptors: [FileDescriptor] {
        switch self {
        case .ofFirst(let descriptor): [descriptor]
        case .held(let held): held.map(\.descriptor)
        }
    }

    /// Of these, the pid namespace is that of the children to come; root and current directory become the sandbox's
    /// root. To be called in the sandbox's cgroup, which may become the root of a new cgroup namespace.
    func enter() throws(SystemError) {
        switch self {
        case .ofFirst(let descriptor):
            try Namespaces([.user, .mount, .pid, .network, .ipc, .uts, .cgroup]).enter(descriptor)
        case .held(let held):
            for (kind, descriptor) in held { try kind.enter(descriptor) }
            try Namespaces.cgroup.unshare()
        }
    }
}
