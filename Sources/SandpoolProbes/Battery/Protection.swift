/// A part of a sandbox that a test can take away while the rest stays.
public enum Protection: String, CaseIterable, Sendable {
    case seccomp = "seccomp"
    case capabilities = "capabilities"
    case userNamespace = "user namespace"
    case mountNamespace = "mount namespace"
    case pidNamespace = "pid namespace"
    case netNamespace = "net namespace"
    case cgroupNamespace = "cgroup namespace"
    case noNewPrivileges = "no_new_privs"
    case noSetUID = "nosuid mounts"
    case closedDescriptors = "closed descriptors"
    case cleanEnvironment = "clean environment"
    case cgroup = "cgroup"
    case resourceLimits = "resource limits"
    case firstProcess = "pid 1 of Sandpool's own"
    case egressFilter = "egress filter"
}
