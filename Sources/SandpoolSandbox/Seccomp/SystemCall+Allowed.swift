/// Calls that every sandbox may make, whatever their arguments: Docker's published default for a process without
/// capabilities, less what `SystemCall+Refused.swift` says.
extension SystemCall {
    static let allowed = files + events + memory + processes + time + identities + messages

    /// Files, directories and their attributes.
    static let files: [SystemCall] = [
        .init("access", 21, nil), .init("cachestat", 451, 451), .init("chdir", 80, 49), .init("chmod", 90, nil),
        .init("chown", 92, nil), .init("close", 3, 57), .init("close_range", 436, 436),
        .init("copy_file_range", 326, 285), .init("creat", 85, nil), .init("dup", 32, 23), .init("dup2", 33, nil),
        .init("dup3", 292, 24), .init("faccessat", 269, 48), .init("faccessat2", 439, 439),
        .init("fadvise64", 221, 223), .init("fallocate", 285, 47), .init("fchdir", 81, 50), .init("fchmod", 91, 52),
        .init("fchmodat", 268, 53), .init("fchmodat2", 452, 452), .init("fchown", 93, 55), .init("fchownat", 260, 54),
        .init("fcntl", 72, 25), .init("fdatasync", 75, 83), .init("fgetxattr", 193, 10), .init("flistxattr", 196, 13),
        .init("flock", 73, 32), .init("fremovexattr", 199, 16), .init("fsetxattr", 190, 7), .init("fstat", 5, 80),
        .init("fstatfs", 138, 44), .init("fsync", 74, 82), .init("ftruncate", 77, 46), .init("futimesat", 261, nil),
        .init("getcwd", 79, 17), .init("getdents", 78, nil), .init("getdents64", 217, 61), .init("getxattr", 191, 8),
        .init("getxattrat", 464, 464), .init("lchown", 94, nil), .init("lgetxattr", 192, 9), .init("link", 86, nil),
        .init("linkat", 265, 37), .init("listmount", 458, 458), .init("listxattr", 194, 11),
        .init("listxattrat", 465, 465), .init("llistxattr", 195, 12), .init("lremovexattr", 198, 15),
        .init("lseek", 8, 62), .init("lsetxattr", 189, 6), .init("lstat", 6, nil), .init("mkdir", 83, nil),
        .init("mkdirat", 258, 34), .init("newfstatat", 262, 79), .init("open", 2, nil), .init("openat", 257, 56),
        .init("openat2", 437, 437), .init("pread64", 17, 67), .init("preadv", 295, 69), .init("preadv2", 327, 286),
        .init("pwrite64", 18, 68), .init("pwritev", 296, 70), .init("pwritev2", 328, 287), .init("read", 0, 63),
        .init("readahead", 187, 213), .init("readlink", 89, nil), .init("readlinkat", 267, 78), .init("readv", 19, 65),
        .init("removexattr", 197, 14), .init("removexattrat", 466, 466), .init("rename", 82, nil),
        .init("renameat", 264, 38), .init("renameat2", 316, 276), .init("rmdir", 84, nil), .init("sendfile", 40, 71),
        .init("setxattr", 188, 5), .init("setxattrat", 463, 463), .init("splice", 275, 76), .init("stat", 4, nil),
        .init("statfs", 137, 43), .init("statmount", 457, 457), .init("statx", 332, 291), .init("symlink", 88, nil),
        .init("symlinkat", 266, 36), .init("sync", 162, 81), .init("sync_file_range", 277, 84),
        .init("syncfs", 306, 267), .init("tee", 276, 77), .init("truncate", 76, 45), .init("umask", 95, 166),
        .init("unlink", 87, nil), .init("unlinkat", 263, 35), .init("utime", 132, nil), .init("utimensat", 280, 88),
        .init("utimes", 235, nil), .init("vmsplice", 278, 75), .init("write", 1, 64), .init("writev", 20, 66),
    ]

    /// Waiting for events.
    static let events: [SystemCall] = [
        .init("epoll_create", 213, nil), .init("epoll_create1", 291, 20), .init("epoll_ctl", 233, 21),
        .init("epoll_pwait", 281, 22), .init("epoll_pwait2", 441, 441), .init("epoll_wait", 232, nil),
        .init("eventfd", 284, nil), .init("eventfd2", 290, 19), .init("inotify_add_watch", 254, 27),
        .init("inotify_init", 253, nil), .init("inotify_init1", 294, 26), .init("inotify_rm_watch", 255, 28),
        .init("io_cancel", 210, 3), .init("io_destroy", 207, 1), .init("io_getevents", 208, 4),
        .init("io_pgetevents", 333, 292), .init("io_setup", 206, 0), .init("io_submit", 209, 2), .init("poll", 7, nil),
        .init("ppoll", 271, 73), .init("pselect6", 270, 72), .init("select", 23, nil), .init("signalfd", 282, nil),
        .init("signalfd4", 289, 74), .init("timerfd_create", 283, 85), .init("timerfd_gettime", 287, 87),
        .init("timerfd_settime", 286, 86),
    ]

    /// Memory.
    static let memory: [SystemCall] = [
        .init("brk", 12, 214), .init("madvise", 28, 233), .init("map_shadow_stack", 453, 453),
        .init("membarrier", 324, 283), .init("memfd_create", 319, 279), .init("mincore", 27, 232),
        .init("mlock", 149, 228), .init("mlock2", 325, 284), .init("mlockall", 151, 230), .init("mmap", 9, 222),
        .init("mprotect", 10, 226), .init("mremap", 25, 216), .init("mseal", 462, 462), .init("msync", 26, 227),
        .init("munlock", 150, 229), .init("munlockall", 152, 231), .init("munmap", 11, 215),
        .init("pkey_alloc", 330, 289), .init("pkey_free", 331, 290), .init("pkey_mprotect", 329, 288),
        .init("process_mrelease", 448, 448), .init("remap_file_pages", 216, 234),
    ]

    /// Processes, threads and signals.
    static let processes: [SystemCall] = [
        .init("alarm", 37, nil), .init("arch_prctl", 158, nil), .init("execve", 59, 221), .init("execveat", 322, 281),
        .init("exit", 60, 93), .init("exit_group", 231, 94), .init("fork", 57, nil), .init("futex", 202, 98),
        .init("futex_requeue", 456, 456), .init("futex_wait", 455, 455), .init("futex_waitv", 449, 449),
        .init("futex_wake", 454, 454), .init("get_robust_list", 274, 100), .init("getcpu", 309, 168),
        .init("getitimer", 36, 102), .init("getpgid", 121, 155), .init("getpgrp", 111, nil), .init("getpid", 39, 172),
        .init("getppid", 110, 173), .init("getpriority", 140, 141), .init("getrandom", 318, 278),
        .init("getrlimit", 97, 163), .init("getrusage", 98, 165), .init("getsid", 124, 156), .init("gettid", 186, 178),
        .init("ioprio_get", 252, 31), .init("ioprio_set", 251, 30), .init("kill", 62, 129),
        .init("landlock_add_rule", 445, 445), .init("landlock_create_ruleset", 444, 444),
        .init("landlock_restrict_self", 446, 446), .init("pause", 34, nil), .init("pidfd_open", 434, 434),
        .init("pidfd_send_signal", 424, 424), .init("prctl", 157, 167), .init("prlimit64", 302, 261),
        .init("restart_syscall", 219, 128), .init("rseq", 334, 293), .init("rt_sigaction", 13, 134),
        .init("rt_sigpending", 127, 136), .init("rt_sigprocmask", 14, 135), .init("rt_sigqueueinfo", 129, 138),
        .init("rt_sigreturn", 15, 139), .init("rt_sigsuspend", 130, 133), .init("rt_sigtimedwait", 128, 137),
        .init("rt_tgsigqueueinfo", 297, 240), .init("sched_get_priority_max", 146, 125),
        .init("sched_get_priority_min", 147, 126), .init("sched_getaffinity", 204, 123),
        .init("sched_getattr", 315, 275), .init("sched_getparam", 143, 121), .init("sched_getscheduler", 145, 120),
        .init("sched_rr_get_interval", 148, 127), .init("sched_setaffinity", 203, 122),
        .init("sched_setattr", 314, 274), .init("sched_setparam", 142, 118), .init("sched_setscheduler", 144, 119),
        .init("sched_yield", 24, 124), .init("seccomp", 317, 277), .init("set_robust_list", 273, 99),
        .init("set_tid_address", 218, 96), .init("setitimer", 38, 103), .init("setpgid", 109, 154),
        .init("setpriority", 141, 140), .init("setrlimit", 160, 164), .init("setsid", 112, 157),
        .init("sigaltstack", 131, 132), .init("sysinfo", 99, 179), .init("tgkill", 234, 131), .init("tkill", 200, 130),
        .init("uname", 63, 160), .init("uprobe", 336, nil), .init("uretprobe", 335, nil), .init("vfork", 58, nil),
        .init("wait4", 61, 260), .init("waitid", 247, 95),
    ]

    /// Time.
    static let time: [SystemCall] = [
        .init("clock_getres", 229, 114), .init("clock_gettime", 228, 113), .init("clock_nanosleep", 230, 115),
        .init("gettimeofday", 96, 169), .init("nanosleep", 35, 101), .init("time", 201, nil),
        .init("timer_create", 222, 107), .init("timer_delete", 226, 111), .init("timer_getoverrun", 225, 109),
        .init("timer_gettime", 224, 108), .init("timer_settime", 223, 110), .init("times", 100, 153),
    ]

    /// Ids and capabilities, which the kernel checks.
    static let identities: [SystemCall] = [
        .init("capget", 125, 90), .init("capset", 126, 91), .init("getegid", 108, 177), .init("geteuid", 107, 175),
        .init("getgid", 104, 176), .init("getgroups", 115, 158), .init("getresgid", 120, 150),
        .init("getresuid", 118, 148), .init("getuid", 102, 174), .init("setfsgid", 123, 152),
        .init("setfsuid", 122, 151), .init("setgid", 106, 144), .init("setgroups", 116, 159),
        .init("setregid", 114, 143), .init("setresgid", 119, 149), .init("setresuid", 117, 147),
        .init("setreuid", 113, 145), .init("setuid", 105, 146),
    ]

    /// Pipes, sockets and System V and POSIX IPC.
    static let messages: [SystemCall] = [
        .init("accept", 43, 202), .init("accept4", 288, 242), .init("bind", 49, 200), .init("connect", 42, 203),
        .init("getpeername", 52, 205), .init("getsockname", 51, 204), .init("getsockopt", 55, 209),
        .init("listen", 50, 201), .init("mq_getsetattr", 245, 185), .init("mq_notify", 244, 184),
        .init("mq_open", 240, 180), .init("mq_timedreceive", 243, 183), .init("mq_timedsend", 242, 182),
        .init("mq_unlink", 241, 181), .init("msgctl", 71, 187), .init("msgget", 68, 186), .init("msgrcv", 70, 188),
        .init("msgsnd", 69, 189), .init("pipe", 22, nil), .init("pipe2", 293, 59), .init("recvfrom", 45, 207),
        .init("recvmmsg", 299, 243), .init("recvmsg", 47, 212), .init("semctl", 66, 191), .init("semget", 64, 190),
        .init("semop", 65, 193), .init("semtimedop", 220, 192), .init("sendmmsg", 307, 269), .init("sendmsg", 46, 211),
        .init("sendto", 44, 206), .init("setsockopt", 54, 208), .init("shmat", 30, 196), .init("shmctl", 31, 195),
        .init("shmdt", 67, 197), .init("shmget", 29, 194), .init("shutdown", 48, 210),
    ]
}
