// What Swift cannot call: variadic functions, system calls without a wrapper in Debian 12's C library, and
// macros that are not constants. Each shim takes and returns plain numbers; errors are -1 with errno set.
#pragma once

#include <linux/filter.h>
#include <spawn.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

// clone3(2) has no wrapper. Returns as fork(2) does, on the caller's own stack; the caller has one thread.
pid_t CLinux_clone3(uint64_t flags, int *pidfd, int cgroup);

// clone3(2) again, for a child of the caller's own parent, whose number the kernel notes before it returns.
pid_t CLinux_clone_sibling(pid_t *number);

// clone(2) as vfork(2) does it, but on a stack of the child's own: a function that returns twice on one stack is
// nothing that Swift's compiler can know of.
pid_t CLinux_vfork(int (*body)(void *), void *context, void *stack_top);

// No wrapper in the C library: pivot_root(2), openat2(2), pidfd_open(2), pidfd_send_signal(2).
int CLinux_pivot_root(const char *new_root, const char *put_old);
int CLinux_openat2(int directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);
int CLinux_pidfd_open(pid_t pid);
int CLinux_pidfd_send_signal(int pidfd, int signal);
// Debian 12's C library has a wrapper, but shows it only with _GNU_SOURCE.
int CLinux_tgkill(pid_t process, pid_t thread, int signal);
int CLinux_close_range(unsigned first, unsigned last);
// Returns its error.
int CLinux_spawn_close_from(posix_spawn_file_actions_t *actions, int first);

// Declared only with _GNU_SOURCE, which a header that Swift imports must not define. All are close-on-exec.
int CLinux_pipe(int ends[2]);
int CLinux_memfd(const char *name);
int CLinux_memfd_program(const char *name);
int CLinux_accept(int socket);
int CLinux_peer_user(int socket, uid_t *user);
int CLinux_unshare(int flags);
int CLinux_setns(int namespace_descriptor, int flags);
ssize_t CLinux_splice(int from, int to, int64_t *to_offset, size_t count, unsigned flags);

// The mount interface of Linux 5.2 and later; <sys/mount.h> and <linux/mount.h> cannot both be imported.
int CLinux_fsopen(const char *type);
int CLinux_fsconfig(int context, unsigned command, const char *key, const void *value, int auxiliary);
int CLinux_fsmount(int context, unsigned attributes);
int CLinux_open_tree(int directory, const char *path, unsigned flags);
int CLinux_move_mount(int from_directory, const char *from, int to_directory, const char *to, unsigned flags);
int CLinux_mount_setattr(int directory, const char *path, unsigned flags, uint64_t set, uint64_t clear,
                         uint64_t propagation, int user_namespace);

// ioctl(2) is variadic: loop(4). The first gives the number of a free device; the second lays an unused device over
// a file, with direct I/O where the file's disk can, until the last user of the device is gone.
int CLinux_loop_free(int control);
int CLinux_loop_configure(int device, int file, unsigned block_size);

// ioctl(2) is variadic: the project id of a file, and for a directory whether what is made in it gets the same
// (FS_IOC_FSGETXATTR, FS_IOC_FSSETXATTR; ioctl_xfs_fsgetxattr(2)).
int CLinux_project(int file, uint32_t *project, int *is_inherited);
int CLinux_set_project(int directory, uint32_t project);

// quotactl_fd(2), Linux 5.14, has no wrapper. Of a project on the file system of `file`; 0 is no limit.
struct CLinux_quota {
    uint64_t bytes, inodes;
    uint64_t byte_limit, inode_limit;
    // Below the limits: what only warns (quotactl(2), "soft limit").
    uint64_t soft_byte_limit, soft_inode_limit;
};
int CLinux_quota(int file, uint32_t project, struct CLinux_quota *quota);
// The same of the first project from `*project` on of which there is a record; ENOENT when there is none.
int CLinux_next_quota(int file, uint32_t *project, struct CLinux_quota *quota);
int CLinux_set_quota(int file, uint32_t project, uint64_t byte_limit, uint64_t inode_limit);
// 1 where the limits of projects hold there, 0 where nothing or only use is counted.
int CLinux_quota_holds(int file);

// Declared only with _GNU_SOURCE: fallocate(2) from the start of the file.
int CLinux_fallocate(int file, int mode, int64_t count);

// prctl(2) is variadic.
int CLinux_prctl(int option, unsigned long argument);
int CLinux_capability_bounding_drop(int capability);
int CLinux_ambient_clear(void);

// capset(2) has no wrapper.
int CLinux_capset(uint64_t effective, uint64_t permitted, uint64_t inheritable);

// keyctl(2) has no wrapper in the C library. KEYCTL_JOIN_SESSION_KEYRING with a new keyring that has no name.
int CLinux_join_session_keyring(void);

// The C library's own wrappers broadcast to threads, which the child of a raw clone must not.
// A negative `count` leaves the groups as they are.
int CLinux_set_ids(uid_t uid, gid_t gid, const gid_t *groups, ssize_t count);

// seccomp(2) has no wrapper.
int CLinux_seccomp_set_filter(const struct sock_filter *filter, unsigned short count);

// The CMSG macros are not functions. `descriptors` holds at most 253.
ssize_t CLinux_send(int socket, const void *bytes, size_t count, const int *descriptors, size_t descriptor_count,
                    int flags);
// `descriptor_count` goes in as the capacity and comes out as the number received. A message that was cut
// is -1 with EMSGSIZE, and its descriptors are closed. One whose descriptors this process has no room for
// (EMFILE, ENFILE) comes without any, and with this in place of their number.
static const size_t CLinux_descriptors_lost = 4096;
ssize_t CLinux_receive(int socket, void *bytes, size_t capacity, int *descriptors, size_t *descriptor_count,
                       int flags);

// siginfo_t is a union behind macros. Waits for one of the signals of `mask` (bit n-1 is signal n).
int CLinux_wait_signal(uint64_t mask, pid_t *sender, int *code);
// sigset_t has no size that Swift agrees on with the kernel. `how` as sigprocmask(2).
int CLinux_signal_mask(int how, uint64_t mask);
// signal(3) refuses the numbers that the C library keeps for its threads, and posix_spawn(3) leaves them ignored.
int CLinux_default_signal(int number);

// makedev(3) is a macro.
dev_t CLinux_makedev(unsigned major, unsigned minor);

// syscall(2) is variadic. For the probes, which try calls that no wrapper makes, or not so.
long CLinux_syscall(int number, long a, long b, long c, long d, long e, long f);

#if defined(__x86_64__)
// getpid(2) by `int 0x80`, the interface of 32-bit programs; the negative errno when it fails.
long CLinux_call32_getpid(void);
#endif
