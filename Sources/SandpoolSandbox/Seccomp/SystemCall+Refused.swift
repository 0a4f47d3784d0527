/// Calls that no sandbox may make. The kernel has them, so they are EPERM, as for a lack of privilege; a number that is
/// in no list is ENOSYS, as on a kernel that lacks it, and programs take their other way.
extension SystemCall {
    static let refused = mounts + otherProcesses + faulty + machine

    /// Namespaces, mounts and file handles.
    static let mounts: [SystemCall] = [
        .init("fsconfig", 431, 431), .init("fsmount", 432, 432), .init("fsopen", 430, 430), .init("fspick", 433, 433),
        .init("mount", 165, 40), .init("mount_setattr", 442, 442), .init("move_mount", 429, 429),
        .init("name_to_handle_at", 303, 264), .init("open_by_handle_at", 304, 265), .init("open_tree", 428, 428),
        .init("open_tree_attr", 467, 467), .init("pivot_root", 155, 41), .init("quotactl", 179, 60),
        .init("quotactl_fd", 443, 443), .init("setns", 308, 268), .init("swapoff", 168, 225),
        .init("swapon", 167, 224), .init("umount2", 166, 39), .init("unshare", 272, 97),
    ]

    /// Other processes' memory, descriptors and place.
    static let otherProcesses: [SystemCall] = [
        .init("get_mempolicy", 239, 236), .init("kcmp", 312, 272), .init("mbind", 237, 235),
        .init("migrate_pages", 256, 238), .init("move_pages", 279, 239), .init("pidfd_getfd", 438, 438),
        .init("process_madvise", 440, 440), .init("process_vm_readv", 310, 270), .init("process_vm_writev", 311, 271),
        .init("ptrace", 101, 117), .init("set_mempolicy", 238, 237), .init("set_mempolicy_home_node", 450, 450),
    ]

    /// Parts of the kernel with a long record of faults.
    static let faulty: [SystemCall] = [
        .init("add_key", 248, 217), .init("bpf", 321, 280), .init("fanotify_init", 300, 262),
        .init("fanotify_mark", 301, 263), .init("io_uring_enter", 426, 426), .init("io_uring_register", 427, 427),
        .init("io_uring_setup", 425, 425), .init("keyctl", 250, 219), .init("lookup_dcookie", 212, 18),
        .init("lsm_get_self_attr", 459, 459), .init("lsm_list_modules", 461, 461),
        .init("lsm_set_self_attr", 460, 460), .init("memfd_secret", 447, 447), .init("modify_ldt", 154, nil),
        .init("perf_event_open", 298, 241), .init("request_key", 249, 218), .init("userfaultfd", 323, 282),
        .init("vhangup", 153, 58),
    ]

    /// The machine.
    static let machine: [SystemCall] = [
        .init("acct", 163, 89), .init("adjtimex", 159, 171), .init("clock_adjtime", 305, 266),
        .init("clock_settime", 227, 112), .init("delete_module", 176, 106), .init("finit_module", 313, 273),
        .init("init_module", 175, 105), .init("ioperm", 173, nil), .init("iopl", 172, nil),
        .init("kexec_file_load", 320, 294), .init("kexec_load", 246, 104), .init("reboot", 169, 142),
        .init("setdomainname", 171, 162), .init("sethostname", 170, 161), .init("settimeofday", 164, 170),
        .init("sysfs", 139, nil), .init("syslog", 103, 116), .init("uselib", 134, nil), .init("ustat", 136, nil),
    ]
}
