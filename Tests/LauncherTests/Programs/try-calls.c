// Says for each system call given what the filters of this process make of it, without making it.
//
// A child installs a second filter beside those that it has, which passes every call to this process
// (SECCOMP_RET_USER_NOTIF), and makes the call. An error or a kill of the first filters goes before that of the second
// (seccomp(2)), so the call is told to this process if, and only if, the first ones allow it; nor is it made then.
//
// usage: try-calls CALL…   CALL is NUMBER[,ARGUMENT]…, with a leading "i" for the 32-bit gate of x86.
// Writes a line for each: "allow", "errno N" or "signal N".
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// The child's reports go through a descriptor that no call under test has as its first argument.
enum { report_descriptor = 1000 };

static _Noreturn void fail(const char *what) {
    perror(what);
    exit(2);
}

static int listen_to_all(void) {
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, report_descriptor, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
    };
    struct sock_fprog program = {.len = sizeof rules / sizeof rules[0], .filter = rules};
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}

static long call(const char *text) {
    long words[7] = {0};
    int is_32_bit = *text == 'i';
    char *at = (char *)text + is_32_bit;
    for (int count = 0; count < 7; count++) {
        words[count] = (long)strtoul(at, &at, 0);
        if (*at++ != ',') break;
    }
#ifdef __x86_64__
    if (is_32_bit) {
        long result;
        __asm__ volatile("int $0x80"
                         : "=a"(result)
                         : "a"(words[0]), "b"(words[1])
                         : "memory", "r8", "r9", "r10", "r11");
        if (result >= 0) return 0;
        errno = (int)-result;
        return -1;
    }
#endif
    return syscall(words[0], words[1], words[2], words[3], words[4], words[5], words[6]);
}

static _Noreturn void make(const char *text) {
    int listener = listen_to_all();
    int message[2] = {listener, listener < 0 ? errno : 0};
    write(report_descriptor, message, sizeof message);
    message[0] = call(text) == -1 ? errno : 0;
    write(report_descriptor, message, sizeof message);
    for (;;) pause();
}

static void judge(const char *text) {
    int ends[2], message[2], status;
    if (pipe(ends) != 0 || dup2(ends[1], report_descriptor) < 0) fail("pipe");
    // The descriptors are shared, so that this process has the listener too.
    pid_t child = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
    if (child < 0) fail("clone");
    if (child == 0) make(text);
    int process = (int)syscall(SYS_pidfd_open, child, 0);
    if (process < 0) fail("pidfd_open");
    if (read(ends[0], message, sizeof message) != sizeof message) fail("read");
    if (message[0] < 0) {
        errno = message[1];
        fail("seccomp");
    }
    struct pollfd events[] = {{message[0], POLLIN, 0}, {ends[0], POLLIN, 0}, {process, POLLIN, 0}};
    if (poll(events, 3, -1) < 1) fail("poll");
    // The report first: the child's pause after it is told too.
    if (events[1].revents & POLLIN) {
        if (read(ends[0], message, sizeof message) != sizeof message) fail("read");
        printf("errno %d\n", message[0]);
    } else if (events[0].revents & POLLIN) {
        puts("allow");
    }
    kill(child, SIGKILL);
    if (waitpid(child, &status, 0) != child) fail("waitpid");
    if (!((events[0].revents | events[1].revents) & POLLIN)) printf("signal %d\n", WTERMSIG(status));
    for (int index = 0; index < 3; index++) close(events[index].fd);
    close(ends[1]);
    close(report_descriptor);
}

int main(int count, char **texts) {
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) fail("prctl");
    for (int index = 1; index < count; index++) judge(texts[index]);
    return fflush(stdout) == 0 ? 0 : 2;
}
