// Looks for processes that have not executed anything of the sandbox yet, and tries all that one process may try on
// another of its own user. Prints how often it saw one and what it got, when its input ends.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static char own_mounts[1 << 16], their_mounts[1 << 16];

static ssize_t content(const char *path, char *buffer, size_t size) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return -1;
    size_t count = 0;
    ssize_t got;
    while (count < size && (got = read(file, buffer + count, size - count)) > 0) count += (size_t)got;
    close(file);
    return (ssize_t)count;
}

static int is_new(const char *pid) {
    char path[64], comm[32];
    snprintf(path, sizeof path, "/proc/%s/comm", pid);
    ssize_t count = content(path, comm, sizeof comm);
    return count >= 8 && memcmp(comm, "sandpool", 8) == 0;
}

// What was got counts when the process is still what it was.
static void got(const char *what, const char *pid) {
    if (is_new(pid)) printf("got %s\n", what);
}

static void attack(const char *pid) {
    static const char *files[] = {"environ", "mem", "maps", "auxv", "stack", "syscall", "io", "pagemap", "personality"};
    static const char *links[] = {"exe", "cwd", "root", "fd/0", "ns/mnt", "ns/user", "ns/net"};
    char path[64], buffer[256];
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "/proc/%s/%s", pid, files[i]);
        if (content(path, buffer, sizeof buffer) > 0) got(files[i], pid);
    }
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        snprintf(path, sizeof path, "/proc/%s/%s", pid, links[i]);
        if (readlink(path, buffer, sizeof buffer) > 0) got(links[i], pid);
    }
    snprintf(path, sizeof path, "/proc/%s/mem", pid);
    int memory = open(path, O_RDWR | O_CLOEXEC);
    if (memory >= 0) got("mem to write", pid), close(memory);
    snprintf(path, sizeof path, "/proc/%s/mountinfo", pid);
    ssize_t theirs = content(path, their_mounts, sizeof their_mounts);
    ssize_t own = content("/proc/self/mountinfo", own_mounts, sizeof own_mounts);
    if (theirs > 0 && (theirs != own || memcmp(own_mounts, their_mounts, (size_t)own) != 0)) got("other mounts", pid);
    pid_t number = atoi(pid);
    struct iovec local = {buffer, 8}, remote = {(void *)0x400000, 8};
    if (process_vm_readv(number, &local, 1, &remote, 1, 0) > 0) got("memory", pid);
    if (syscall(SYS_kcmp, number, getpid(), 0, 0, 0) >= 0) got("a comparison", pid);
    int descriptor = (int)syscall(SYS_pidfd_open, number, 0);
    if (descriptor >= 0) {
        for (int file = 0; file < 8; file++)
            if (syscall(SYS_pidfd_getfd, descriptor, file, 0) >= 0) got("a descriptor", pid);
        close(descriptor);
    }
}

int main(void) {
    unsigned long seen = 0;
    setvbuf(stdout, NULL, _IOFBF, 1 << 16);
    printf("up\n");
    fflush(stdout);
    struct pollfd input = {.fd = 0, .events = POLLIN};
    DIR *processes = opendir("/proc");
    while (processes && poll(&input, 1, 0) == 0) {
        rewinddir(processes);
        for (struct dirent *entry; (entry = readdir(processes));) {
            int number = atoi(entry->d_name);
            if (number <= 1 || number == getpid() || !is_new(entry->d_name)) continue;
            seen++;
            attack(entry->d_name);
        }
    }
    printf("seen %lu\n", seen);
    return 5;
}
