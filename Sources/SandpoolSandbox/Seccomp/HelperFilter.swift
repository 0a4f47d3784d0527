import CLinux
import Glibc

/// Allow-lists for the launcher's unprivileged children, installed when they have everything open that they need.
/// Neither executes a program, makes a process or opens a file to write.
enum HelperFilter {
    /// A call outside of the list fails: with the spooler every sandbox of the host would end.
    static func spooler() -> SeccompFilter {
        let refused = FilterAssembler.Action.fail(EPERM)
        var calls = ordinary(refused)
        calls.set([__NR_splice, __NR_pwrite64, __NR_utimensat], to: .allow)
        calls.set(__NR_ioctl) { filter in
            filter.load(.argument(1))
            filter.ifEqual(UInt32(FIONREAD), .allow)
            filter.finish(refused)
        }
        return SeccompFilter(calls, beyond: refused)
    }

    /// A call outside of the list is the end: the forwarder reads what strangers write, and what calls it then is no
    /// longer the forwarder. The launcher starts another.
    static func forwarder() -> SeccompFilter {
        let refused = FilterAssembler.Action.killProcess
        var calls = ordinary(refused)
        calls.set(
            [__NR_accept, __NR_connect, __NR_sendto, __NR_recvfrom, __NR_setsockopt, __NR_fstat, __NR_newfstatat],
            to: .allow)
        #if arch(x86_64)
            calls.set([__NR_stat], to: .allow)
        #endif
        // Its questions upstream. The C library tries others for if_nametoindex(3), and takes no for an answer.
        calls.set(__NR_socket) { filter in
            filter.load(.argument(0))
            for family in [AF_INET, AF_INET6] { filter.ifEqual(UInt32(family), .allow) }
            filter.finish(.fail(EAFNOSUPPORT))
        }
        calls.set(__NR_ioctl) { filter in
            filter.load(.argument(1))
            filter.ifEqual(interfaceIndex, .allow)
            filter.finish(refused)
        }
        // resolv.conf, when it has changed.
        calls.set(__NR_openat) { filter in
            filter.load(.argument(2))
            filter.ifAnyBit(of: UInt32(O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND), .fail(EACCES))
            filter.finish(.allow)
        }
        return SeccompFilter(calls, beyond: refused)
    }

    /// SIOCGIFINDEX of netdevice(7).
    private static let interfaceIndex: UInt32 = 0x8933

    /// What an event loop on memory, time and sockets that are open already calls, and the C library and Swift's
    /// runtime below it.
    private static func ordinary(_ refused: FilterAssembler.Action) -> CallTable {
        var calls = CallTable(otherwise: refused)
        calls.set(
            [
                __NR_read, __NR_write, __NR_close, __NR_fcntl, __NR_recvmsg, __NR_sendmsg,
                __NR_epoll_ctl, __NR_epoll_pwait, __NR_timerfd_settime, __NR_clock_gettime,
                __NR_brk, __NR_munmap, __NR_mremap, __NR_madvise, __NR_futex, __NR_getrandom,
                __NR_rt_sigreturn, __NR_rt_sigprocmask, __NR_restart_syscall, __NR_getpid, __NR_gettid, __NR_tgkill,
                __NR_exit, __NR_exit_group,
            ], to: .allow)
        #if arch(x86_64)
            calls.set([__NR_epoll_wait], to: .allow)
        #endif
        for number in [__NR_mmap, __NR_mprotect] {
            calls.set(number) { filter in
                filter.load(.argument(2))
                filter.ifAnyBit(of: UInt32(PROT_EXEC), refused)
                filter.finish(.allow)
            }
        }
        return calls
    }
}
