#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/dqblk_xfs.h>
#include <linux/keyctl.h>
#include <linux/loop.h>
#include <linux/openat2.h>
#include <linux/quota.h>
#include <linux/seccomp.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <unistd.h>

pid_t CLinux_clone3(uint64_t flags, int *pidfd, int cgroup) {
    struct clone_args arguments = {
        .flags = flags | CLONE_PIDFD,
        .pidfd = (uint64_t)(uintptr_t)pidfd,
        .exit_signal = SIGCHLD,
    };
    if (cgroup >= 0) {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = (uint64_t)cgroup;
    }
    return (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);
}

pid_t CLinux_clone_sibling(pid_t *number) {
    // The exit signal has to be none: it is that of the caller.
    struct clone_args arguments = {
        .flags = CLONE_PARENT | CLONE_PARENT_SETTID,
        .parent_tid = (uint64_t)(uintptr_t)number,
    };
    return (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);
}

pid_t CLinux_vfork(int (*body)(void *), void *context, void *stack_top) {
    return clone(body, stack_top, CLONE_VM | CLONE_VFORK | SIGCHLD, context);
}

int CLinux_pivot_root(const char *new_root, const char *put_old) {
    return (int)syscall(SYS_pivot_root, new_root, put_old);
}

int CLinux_openat2(int directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
    struct open_how how = {.flags = flags, .mode = mode, .resolve = resolve};
    return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

int CLinux_pidfd_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

int CLinux_pidfd_send_signal(int pidfd, int signal) {
    return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}

int CLinux_tgkill(pid_t process, pid_t thread, int signal) { return (int)syscall(SYS_tgkill, process, thread, signal); }

int CLinux_close_range(unsigned first, unsigned last) { return (int)syscall(SYS_close_range, first, last, 0); }

int CLinux_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

int CLinux_memfd(const char *name) { return memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING); }

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

int CLinux_memfd_program(const char *name) {
    int file = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
    // Before Linux 6.3 there is no such flag, and every one can be executed.
    return file < 0 && errno == EINVAL ? CLinux_memfd(name) : file;
}

int CLinux_accept(int socket) { return accept4(socket, NULL, NULL, SOCK_CLOEXEC); }

int CLinux_peer_user(int socket, uid_t *user) {
    struct ucred credentials;
    socklen_t length = sizeof credentials;
    int result = getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &length);
    *user = credentials.uid;
    return result;
}

int CLinux_unshare(int flags) { return unshare(flags); }

int CLinux_setns(int namespace_descriptor, int flags) { return setns(namespace_descriptor, flags); }

ssize_t CLinux_splice(int from, int to, int64_t *to_offset, size_t count, unsigned flags) {
    return splice(from, NULL, to, to_offset, count, flags);
}

int CLinux_fsopen(const char *type) { return (int)syscall(SYS_fsopen, type, 1 /* FSOPEN_CLOEXEC */); }

int CLinux_fsconfig(int context, unsigned command, const char *key, const void *value, int auxiliary) {
    return (int)syscall(SYS_fsconfig, context, command, key, value, auxiliary);
}

int CLinux_fsmount(int context, unsigned attributes) {
    return (int)syscall(SYS_fsmount, context, 1 /* FSMOUNT_CLOEXEC */, attributes);
}

int CLinux_open_tree(int directory, const char *path, unsigned flags) {
    return (int)syscall(SYS_open_tree, directory, path, flags);
}

int CLinux_move_mount(int from_directory, const char *from, int to_directory, const char *to, unsigned flags) {
    return (int)syscall(SYS_move_mount, from_directory, from, to_directory, to, flags);
}

int CLinux_mount_setattr(int directory, const char *path, unsigned flags, uint64_t set, uint64_t clear,
                         uint64_t propagation, int user_namespace) {
    // struct mount_attr, MOUNT_ATTR_SIZE_VER0.
    uint64_t attributes[4] = {set, clear, propagation, user_namespace < 0 ? 0 : (uint64_t)user_namespace};
    return (int)syscall(SYS_mount_setattr, directory, path, flags, attributes, sizeof attributes);
}

int CLinux_loop_free(int control) { return ioctl(control, LOOP_CTL_GET_FREE); }

int CLinux_loop_configure(int device, int file, unsigned block_size) {
    struct loop_config config = {.fd = (unsigned)file, .block_size = block_size};
    config.info.lo_flags = LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO;
    return ioctl(device, LOOP_CONFIGURE, &config);
}

// struct fsxattr of <linux/fs.h>, which includes <linux/mount.h>.
struct file_attributes {
    uint32_t flags, extent_bytes, extents, project, copied_extent_bytes;
    uint8_t padding[8];
};
#define GET_ATTRIBUTES _IOR('X', 31, struct file_attributes)
#define SET_ATTRIBUTES _IOW('X', 32, struct file_attributes)
static const uint32_t project_is_inherited = 0x200;

int CLinux_project(int file, uint32_t *project, int *is_inherited) {
    struct file_attributes attributes;
    if (ioctl(file, GET_ATTRIBUTES, &attributes) != 0) return -1;
    *project = attributes.project;
    *is_inherited = (attributes.flags & project_is_inherited) != 0;
    return 0;
}

int CLinux_set_project(int directory, uint32_t project) {
    struct file_attributes attributes;
    if (ioctl(directory, GET_ATTRIBUTES, &attributes) != 0) return -1;
    attributes.project = project;
    attributes.flags |= project_is_inherited;
    return ioctl(directory, SET_ATTRIBUTES, &attributes);
}

static int project_quota(int file, unsigned command, uint32_t project, void *argument) {
    return (int)syscall(SYS_quotactl_fd, file, QCMD(command, PRJQUOTA), project, argument);
}

// As struct if_dqblk, with the project where that one has padding.
static struct CLinux_quota quota_of(const struct if_nextdqblk *block) {
    return (struct CLinux_quota){
        .bytes = block->dqb_curspace,
        .inodes = block->dqb_curinodes,
        .byte_limit = block->dqb_bhardlimit * QIF_DQBLKSIZE,
        .inode_limit = block->dqb_ihardlimit,
        .soft_byte_limit = block->dqb_bsoftlimit * QIF_DQBLKSIZE,
        .soft_inode_limit = block->dqb_isoftlimit,
    };
}

int CLinux_quota(int file, uint32_t project, struct CLinux_quota *quota) {
    struct if_nextdqblk block = {0};
    // XFS has no record of a project that never had anything.
    if (project_quota(file, Q_GETQUOTA, project, &block) != 0 && errno != ENOENT) return -1;
    *quota = quota_of(&block);
    return 0;
}

int CLinux_next_quota(int file, uint32_t *project, struct CLinux_quota *quota) {
    struct if_nextdqblk block = {0};
    if (project_quota(file, Q_GETNEXTQUOTA, *project, &block) != 0) return -1;
    *project = block.dqb_id;
    *quota = quota_of(&block);
    return 0;
}

int CLinux_set_quota(int file, uint32_t project, uint64_t byte_limit, uint64_t inode_limit) {
    struct if_dqblk block = {
        .dqb_bhardlimit = byte_limit / QIF_DQBLKSIZE,
        .dqb_ihardlimit = inode_limit,
        .dqb_valid = QIF_LIMITS,
    };
    return project_quota(file, Q_SETQUOTA, project, &block);
}

int CLinux_quota_holds(int file) {
    struct fs_quota_statv state = {.qs_version = FS_QSTATV_VERSION1};
    if (project_quota(file, Q_XGETQSTATV, 0, &state) != 0) return -1;
    return (state.qs_flags & FS_QUOTA_PDQ_ENFD) != 0;
}

int CLinux_fallocate(int file, int mode, int64_t count) { return fallocate(file, mode, 0, count); }

int CLinux_prctl(int option, unsigned long argument) { return prctl(option, argument, 0UL, 0UL, 0UL); }

int CLinux_capability_bounding_drop(int capability) {
    return prctl(PR_CAPBSET_DROP, (unsigned long)capability, 0UL, 0UL, 0UL);
}

int CLinux_ambient_clear(void) { return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0UL, 0UL, 0UL); }

int CLinux_capset(uint64_t effective, uint64_t permitted, uint64_t inheritable) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    for (int word = 0; word < 2; word++) {
        data[word].effective = (uint32_t)(effective >> (32 * word));
        data[word].permitted = (uint32_t)(permitted >> (32 * word));
        data[word].inheritable = (uint32_t)(inheritable >> (32 * word));
    }
    return (int)syscall(SYS_capset, &header, data);
}

int CLinux_join_session_keyring(void) {
    return syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 ? -1 : 0;
}

int CLinux_set_ids(uid_t uid, gid_t gid, const gid_t *groups, ssize_t count) {
    if (count >= 0 && syscall(SYS_setgroups, count, groups) != 0) return -1;
    if (syscall(SYS_setresgid, gid, gid, gid) != 0) return -1;
    return (int)syscall(SYS_setresuid, uid, uid, uid);
}

int CLinux_seccomp_set_filter(const struct sock_filter *filter, unsigned short count) {
    struct sock_fprog program = {.len = count, .filter = (struct sock_filter *)filter};
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

enum { descriptor_limit = 253 };

ssize_t CLinux_send(int socket, const void *bytes, size_t count, const int *descriptors, size_t descriptor_count,
                    int flags) {
    if (descriptor_count > descriptor_limit) {
        errno = EINVAL;
        return -1;
    }
    struct iovec vector = {.iov_base = (void *)bytes, .iov_len = count};
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int) * descriptor_limit)];
    } control;
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    if (descriptor_count > 0) {
        size_t size = sizeof(int) * descriptor_count;
        memset(&control, 0, CMSG_SPACE(size));
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(size);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(size);
        memcpy(CMSG_DATA(header), descriptors, size);
    }
    return sendmsg(socket, &message, flags | MSG_NOSIGNAL);
}

ssize_t CLinux_receive(int socket, void *bytes, size_t capacity, int *descriptors, size_t *descriptor_count,
                       int flags) {
    struct iovec vector = {.iov_base = bytes, .iov_len = capacity};
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int) * descriptor_limit)];
    } control;
    struct msghdr message = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t received = recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);
    size_t room = *descriptor_count, taken = 0;
    int cut = 0;
    *descriptor_count = 0;
    if (received < 0) return received;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        size_t here = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t index = 0; index < here; index++) {
            int descriptor;
            memcpy(&descriptor, CMSG_DATA(header) + index * sizeof(int), sizeof(int));
            if (taken < room) {
                descriptors[taken++] = descriptor;
            } else {
                close(descriptor);
                cut = 1;
            }
        }
    }
    // The space holds as many as the kernel ever passes: what it cut did not fit the process's own limit.
    int lost = (message.msg_flags & MSG_CTRUNC) != 0;
    if (cut || lost || (message.msg_flags & MSG_TRUNC)) {
        for (size_t index = 0; index < taken; index++) close(descriptors[index]);
        taken = 0;
    }
    if (cut || (message.msg_flags & MSG_TRUNC)) {
        errno = EMSGSIZE;
        return -1;
    }
    *descriptor_count = lost ? CLinux_descriptors_lost : taken;
    return received;
}

int CLinux_default_signal(int number) {
    // The kernel's own structure (linux/signal.h: handler, flags, restorer, mask), all of it SIG_DFL and nothing.
    const struct { void *handler; unsigned long flags; void *restorer; uint64_t mask; } none = {0};
    return (int)syscall(SYS_rt_sigaction, number, &none, NULL, sizeof none.mask);
}

int CLinux_wait_signal(uint64_t mask, pid_t *sender, int *code) {
    siginfo_t info;
    int signal = (int)syscall(SYS_rt_sigtimedwait, &mask, &info, NULL, sizeof mask);
    if (signal < 0) return -1;
    *sender = info.si_pid;
    *code = info.si_code;
    return signal;
}

int CLinux_signal_mask(int how, uint64_t mask) {
    return (int)syscall(SYS_rt_sigprocmask, how, &mask, NULL, sizeof mask);
}

int CLinux_spawn_close_from(posix_spawn_file_actions_t *actions, int first) {
    return posix_spawn_file_actions_addclosefrom_np(actions, first);
}

dev_t CLinux_makedev(unsigned major, unsigned minor) { return makedev(major, minor); }

long CLinux_syscall(int number, long a, long b, long c, long d, long e, long f) {
    return syscall(number, a, b, c, d, e, f);
}

#if defined(__x86_64__)
long CLinux_call32_getpid(void) {
    long result;
    // 20 is getpid there. The kernel clears r8 to r11 on the way back.
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "r8", "r9", "r10", "r11", "memory");
    return (int)result;
}
#endif
