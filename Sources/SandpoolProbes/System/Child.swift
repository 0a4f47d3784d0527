import CLinux
import Glibc

/// A child made with nothing but clone(2), which a sandbox allows where it refuses clone3(2).
struct Child {
    let pid: pid_t

    /// Nil with errno when there is none. The child must not return from `body`.
    static func fork(flags: Int = 0, _ body: () -> Never) -> Child? {
        let pid = CLinux_syscall(Int32(SYS_clone), flags | Int(SIGCHLD), 0, 0, 0, 0, 0)
        if pid == 0 { body() }
        return pid > 0 ? Child(pid: pid_t(pid)) : nil
    }

    /// The status as waitpid(2) gives it.
    @discardableResult
    func wait() -> Int32 {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        return status
    }

    /// The code of a child that exited, nil for one that a signal ended.
    func exitCode() -> Int32? {
        let status = wait()
        return status & 0x7f == 0 ? status >> 8 & 0xff : nil
    }
}

/// A pipe whose ends a probe's children share.
struct PipeEnds {
    let reading: Int32
    let writing: Int32

    init?() {
        var ends: [Int32] = [-1, -1]
        guard CLinux_pipe(&ends) == 0 else { return nil }
        (reading, writing) = (ends[0], ends[1])
    }
}
