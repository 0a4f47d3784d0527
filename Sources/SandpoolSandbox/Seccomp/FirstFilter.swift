import CLinux
import Glibc

/// The first filter: a list of what a sandbox must not call. Replaced as a whole by an allow-list later.
enum FirstFilter {
    /// Namespace flags of clone(2): NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET. NEWTIME
    /// has no flag there: its bit is part of the exit signal.
    private static let namespaceFlags: UInt32 = 0x7e02_0000

    static func make() -> SeccompFilter { SeccompFilter(calls, beyond: .fail(ENOSYS)) }

    private static var calls: CallTable {
        var calls = CallTable(otherwise: .allow)
        calls.set(denied, to: .fail(EPERM))
        // Its flags are behind a pointer; programs fall back to clone.
        calls.set([__NR_clone3], to: .fail(ENOSYS))
        calls.set(__NR_clone) { filter in
            filter.load(.argument(0))
            filter.ifAnyBit(of: namespaceFlags, .fail(EPERM))
            filter.finish(.allow)
        }
        calls.set(__NR_socket) { filter in
            filter.load(.argument(0))
            for family: UInt32 in [1, 2, 10] { filter.ifEqual(family, .allow) }
            filter.ifNotEqual(16, .fail(EAFNOSUPPORT))
            filter.load(.argument(2))
            filter.ifEqual(0, .allow)
            filter.finish(.fail(EAFNOSUPPORT))
        }
        calls.set(__NR_ioctl) { filter in
            filter.load(.argument(1))
            for request: UInt32 in [0x5412, 0x541c] { filter.ifEqual(request, .fail(EPERM)) }
            filter.finish(.allow)
        }
        return calls
    }

    #if arch(x86_64)
        private static let deniedHere: [Int32] = [
            __NR_ioperm, __NR_iopl, __NR_modify_ldt, __NR_uselib, __NR_ustat, __NR_sysfs, __NR__sysctl,
            __NR_create_module, __NR_get_kernel_syms, __NR_query_module, __NR_nfsservctl,
        ]
    #elseif arch(arm64)
        private static let deniedHere: [Int32] = []
    #endif

    private static let denied: [Int32] =
        deniedHere + [
            // Namespaces and mounts.
            __NR_unshare, __NR_setns, __NR_mount, __NR_umount2, __NR_pivot_root, __NR_fsopen,
            __NR_fsconfig, __NR_fsmount, __NR_fspick, __NR_open_tree, __NR_move_mount, __NR_mount_setattr,
            __NR_open_by_handle_at, __NR_name_to_handle_at, __NR_quotactl, __NR_swapon, __NR_swapoff,
            // Other processes' memory.
            __NR_ptrace, __NR_process_vm_readv, __NR_process_vm_writev, __NR_process_madvise, __NR_pidfd_getfd,
            __NR_kcmp, __NR_move_pages, __NR_migrate_pages,
            // Parts of the kernel with a long record of faults.
            __NR_bpf, __NR_perf_event_open, __NR_io_uring_setup, __NR_io_uring_enter, __NR_io_uring_register,
            __NR_userfaultfd, __NR_keyctl, __NR_add_key, __NR_request_key, __NR_fanotify_init, __NR_lookup_dcookie,
            __NR_vhangup, __NR_personality,
            // The machine.
            __NR_kexec_load, __NR_kexec_file_load, __NR_init_module, __NR_finit_module, __NR_delete_module,
            __NR_reboot, __NR_syslog, __NR_acct, __NR_settimeofday, __NR_clock_settime, __NR_clock_adjtime,
            __NR_adjtimex, __NR_sethostname, __NR_setdomainname,
        ]
}
