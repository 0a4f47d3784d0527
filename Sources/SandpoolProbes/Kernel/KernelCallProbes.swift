import CLinux
import Glibc

/// Calls into parts of the kernel with a long record of faults. An ordinary process may make many of them: only the
/// filter stands in the way.
enum KernelCallProbes {
    private static let filter: [Protection] = [.seccomp]
    private static let wall: [Protection] = [.seccomp, .capabilities, .userNamespace]

    static let all: [Probe] =
        [
            Probe("bpf", .kernel, "load a program into the kernel", behind: wall) { _ in
                // BPF_MAP_CREATE of an array: key of 4 bytes, value of 8, one entry (bpf(2)).
                withMemory(128, [0: 2 | 4 << 32, 8: 8 | 1 << 32]) { Answer(__NR_bpf, 0, $0, 72).outcome("bpf") }
            },
            Probe("perf-events", .kernel, "count events of the processor", behind: wall) { _ in
                // PERF_TYPE_SOFTWARE, size 64, PERF_COUNT_SW_DUMMY, of itself on any processor.
                withMemory(128, [0: 1 | 64 << 32, 8: 9]) {
                    Answer(__NR_perf_event_open, $0, 0, -1, -1, 0).outcome("perf_event_open")
                }
            },
            Probe("io-uring", .kernel, "make an io_uring", behind: filter) { _ in
                withMemory(128) { Answer(__NR_io_uring_setup, 1, $0).outcome("io_uring_setup") }
            },
            Probe("userfaultfd", .kernel, "handle its own page faults", behind: filter) { _ in
                Answer(__NR_userfaultfd, Int(O_CLOEXEC) | 1).outcome("userfaultfd UFFD_USER_MODE_ONLY")
            },
            Probe("keyctl", .kernel, "ask for its session keyring", behind: filter) { _ in
                Answer(__NR_keyctl, 0, -3, 1).outcome("keyctl KEYCTL_GET_KEYRING_ID")
            },
            Probe("add-key", .kernel, "put a key into a keyring", behind: filter) { _ in
                "user".withAddress { type in
                    "sandpool-probe".withAddress { Answer(__NR_add_key, type, $0, $0, 4, -2).outcome("add_key") }
                }
            },
            Probe("memfd-secret", .kernel, "make memory that the kernel does not see", behind: filter) { _ in
                // memfd_secret(2), the same number on every architecture.
                Answer(447, 0).outcome("memfd_secret")
            },
            Probe("personality", .kernel, "switch off address randomisation", behind: filter) { _ in
                Answer(__NR_personality, 0x0040000).outcome("personality ADDR_NO_RANDOMIZE")
            },
            Probe("ptrace-child", .kernel, "trace a child", behind: filter) { _ in traceChild() },
            Probe("fanotify", .kernel, "watch a file system", behind: wall) { _ in
                Answer(__NR_fanotify_init, 0, Int(O_RDONLY)).outcome("fanotify_init")
            },
            Probe("quotactl", .kernel, "ask for quotas", behind: filter) { _ in
                // Q_SYNC of every file system: needs no privilege and changes nothing.
                Answer(__NR_quotactl, 0x80_0001 << 8, 0, 0, 0).outcome("quotactl Q_SYNC")
            },
            Probe("kcmp", .kernel, "compare kernel objects of processes", behind: filter) { _ in
                Answer(__NR_kcmp, Int(getpid()), Int(getpid()), 1, 0, 0).outcome("kcmp")
            },
            Probe("move-pages", .kernel, "ask where memory of a process lies", behind: filter) { _ in
                Answer(__NR_move_pages, 0, 0, 0, 0, 0, 0).outcome("move_pages")
            },
        ] + ofThisArchitecture

    private static func traceChild() -> Outcome {
        guard
            let child = Child.fork({
                pause(); _exit(0)
            })
        else { return .notRun("fork: \(Answer.text(errno))") }
        // PTRACE_SEIZE, which stops nothing.
        let answer = Answer(__NR_ptrace, 0x4206, Int(child.pid))
        kill(child.pid, SIGKILL)
        child.wait()
        return answer.outcome("ptrace PTRACE_SEIZE")
    }

    #if arch(x86_64)
        private static let ofThisArchitecture: [Probe] = [
            Probe("ldt", .kernel, "read its local descriptor table", behind: filter) { _ in
                withMemory(64) { Answer(__NR_modify_ldt, 0, $0, 64).outcome("modify_ldt") }
            },
            Probe("call-of-32-bit", .kernel, "reach the 32-bit system calls, which a filter may forget", behind: filter)
            {
                _ in
                let answer = CLinux_call32_getpid()
                return answer > 0
                    ? .through("int 0x80 was answered") : .held("int 0x80: \(Answer.text(Int32(-answer)))")
            },
            Probe("call-of-x32", .kernel, "reach the x32 system calls, which a filter may forget", behind: filter) {
                _ in
                Answer(0x4000_0000 | __NR_getpid).outcome("getpid of x32")
            },
        ]
    #else
        private static let ofThisArchitecture: [Probe] = []
    #endif
}
