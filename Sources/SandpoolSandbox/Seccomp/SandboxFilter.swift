import CLinux
import Glibc

/// What a sandbox may ask of the kernel: a list of what is allowed, made once for each profile and installed in every
/// command's process before its execve (Docs/decisions/0011).
enum SandboxFilter {
    static func make(
        _ profile: SandboxPlan.CapabilityProfile, on architecture: SystemCall.Architecture = .current
    ) -> SeccompFilter {
        let unknown = FilterAssembler.Action.fail(ENOSYS)
        var calls = CallTable(otherwise: unknown)
        func set(_ call: SystemCall, _ body: (inout FilterAssembler) -> Void) {
            if let number = call.number(on: architecture) { calls.set(Int32(number), body) }
        }
        for call in SystemCall.allowed { set(call) { $0.finish(.allow) } }
        for call in SystemCall.refused { set(call) { $0.finish(.fail(EPERM)) } }
        // Its flags are behind a pointer; programs fall back to clone.
        set(.init("clone3", 435, 435)) { $0.finish(unknown) }
        set(.init("clone", 56, 220), clone)
        set(.init("ioctl", 16, 29), ioctl)
        set(.init("personality", 135, 92), personality)
        set(.init("socket", 41, 198), SocketRules.socket)
        set(.init("socketpair", 53, 199), SocketRules.socketPair)
        set(.init("chroot", 161, 51)) { $0.finish(profile == .build ? .allow : .fail(EPERM)) }
        set(.init("mknod", 133, nil)) { mknod(profile, mode: 1, &$0) }
        set(.init("mknodat", 259, 33)) { mknod(profile, mode: 2, &$0) }
        return SeccompFilter(calls, beyond: unknown, on: architecture)
    }

    /// CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET of clone(2). NEWTIME has no flag there: its
    /// bit is part of the exit signal. And CLONE_PARENT: a further command is the launcher's child, which would get
    /// children that it does not know, and whose end pid 1's own waits for (tried).
    private static let refusedFlags: UInt32 = 0x7e02_8000

    private static func clone(_ filter: inout FilterAssembler) {
        filter.load(.argument(0))
        filter.ifAnyBit(of: refusedFlags, .fail(EPERM))
        filter.finish(.allow)
    }

    /// TIOCSTI and TIOCLINUX put input into a terminal that others read, TIOCCONS takes the console's output, and
    /// TIOCSETD has the kernel load a line discipline (ioctl_tty(2)).
    private static let terminalRequests: [UInt32] = [0x5412, 0x541c, 0x541d, 0x5423]

    /// FS_IOC_SETFLAGS, the same for 32-bit programs, and FS_IOC_FSSETXATTR (ioctl_iflags(2)). On an overlay the kernel
    /// asks whether the caller may change what the *image's* file has, and then sets what he says on the copy as who
    /// mounted it: a file with "the project id that it has" leaves the sandbox's project, and with it its limit
    /// (tried on Linux 6.1). Programs take it for a file system without such flags. And FS_IOC_SET_ENCRYPTION_POLICY
    /// (fscrypt.rst): nobody could remove a tree whose key is gone.
    private static let fileRequests: [UInt32] = [0x4008_6602, 0x4004_6602, 0x401c_5820, 0x800c_6613]

    private static func ioctl(_ filter: inout FilterAssembler) {
        filter.load(.argument(1))
        for request in terminalRequests { filter.ifEqual(request, .fail(EPERM)) }
        for request in fileRequests { filter.ifEqual(request, .fail(EOPNOTSUPP)) }
        filter.finish(.allow)
    }

    /// PER_LINUX and PER_LINUX32, each also with UNAME26, and the question which one it is (personality(2)).
    private static let personalities: [UInt32] = [0, 0x0008, 0x2_0000, 0x2_0008, 0xffff_ffff]

    private static func personality(_ filter: inout FilterAssembler) {
        filter.load(.argument(0))
        for value in personalities { filter.ifEqual(value, .allow) }
        filter.finish(.fail(EPERM))
    }

    /// Named pipes, sockets and files, but no devices. A build may ask for them: the kernel gives it none but the 0:0
    /// by which a layer says that a file is gone.
    private static func mknod(
        _ profile: SandboxPlan.CapabilityProfile, mode: Int, _ filter: inout FilterAssembler
    ) {
        if profile == .run {
            filter.load(.argument(mode))
            // S_IFCHR, a bit of S_IFBLK too and of no other kind that mknod(2) makes.
            filter.ifAnyBit(of: 0o020_000, .fail(EPERM))
        }
        filter.finish(.allow)
    }
}
