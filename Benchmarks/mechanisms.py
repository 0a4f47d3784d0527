"""What each mechanism of isolation costs the kernel, apart from everything else.

A single-threaded process clones a child that has the mechanism and ends; the same is done without it, in turn. The
difference of the medians is the price, with the few lines of Python that ask for it. Taking the mechanisms out of the
launcher one at a time would need switches in it that no program that isolates should have.
"""

import ctypes
import os
import signal
import statistics
import time

LIBC = ctypes.CDLL(None, use_errno=True)
SYS_CLONE, SYS_KEYCTL = 56, 250  # x86-64 (unistd_64.h)
NAMESPACES = {
    "mount": 0x00020000, "cgroup": 0x02000000, "uts": 0x04000000, "ipc": 0x08000000, "user": 0x10000000,
    "pid": 0x20000000, "net": 0x40000000,
}
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
KEYCTL_JOIN_SESSION_KEYRING = 1
MASKED = ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/sysrq-trigger", "/proc/interrupts", "/proc/kallsyms"]


def check(result, what):
    if result < 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")
    return result


def mount(source, target, kind, flags, data):
    encoded = [None if text is None else text.encode() for text in (source, target, kind)]
    check(LIBC.mount(*encoded, ctypes.c_ulong(flags), None if data is None else data.encode()), f"mount {target}")


def child_us(flags=0, inside=None, beside=None):
    """Microseconds from the clone to the child's end; `inside` runs in it, `beside` in the parent while it waits."""
    gate = os.pipe() if beside else None
    started = time.perf_counter_ns()
    child = check(LIBC.syscall(SYS_CLONE, ctypes.c_ulong(flags | signal.SIGCHLD), None, None, None, None), "clone")
    if child == 0:
        try:
            if gate:
                os.read(gate[0], 1)
            if inside:
                inside()
            os._exit(0)
        except BaseException:
            os._exit(1)
    if beside:
        beside(child)
        os.write(gate[1], b"x")
    _, status = os.waitpid(child, 0)
    elapsed = (time.perf_counter_ns() - started) / 1000
    for end in gate or ():
        os.close(end)
    return elapsed if status == 0 else None


def private_mounts():
    mount(None, "/", None, MS_REC | MS_PRIVATE, None)


def overlay(directory):
    def inside():
        private_mounts()
        mount("none", directory, "tmpfs", 0, "size=1m")
        for name in ("lower", "upper", "work", "root"):
            os.mkdir(f"{directory}/{name}")
        options = f"lowerdir={directory}/lower,upperdir={directory}/upper,workdir={directory}/work"
        mount("none", f"{directory}/root", "overlay", 0, options)
    return inside


def masks():
    private_mounts()
    for path in filter(os.path.exists, MASKED):
        mount("/dev/null", path, None, MS_BIND, None)


def identity_map(child):
    for name in ("uid_map", "gid_map"):
        with open(f"/proc/{child}/{name}", "w", encoding="ascii") as file:
            file.write("0 1000000 65536")


class Filter(ctypes.Structure):
    """struct sock_filter (linux/filter.h)."""
    _fields_ = [("code", ctypes.c_uint16), ("jt", ctypes.c_uint8), ("jf", ctypes.c_uint8), ("k", ctypes.c_uint32)]


class Program(ctypes.Structure):
    """struct sock_fprog (linux/filter.h)."""
    _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.POINTER(Filter))]


def seccomp(instructions):
    # Over loads of the call's number that are compiled and not reached, as in a filter that is searched: to allow.
    jump, load, allow = Filter(0x05, 0, 0, instructions - 3), Filter(0x20, 0, 0, 0), Filter(0x06, 0, 0, 0x7FFF0000)
    code = (Filter * instructions)(load, jump, *[load] * (instructions - 3), allow)
    program = Program(instructions, code)

    def inside():
        check(LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
        check(LIBC.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0), "seccomp")
    return inside


def keyring():
    check(LIBC.syscall(SYS_KEYCTL, KEYCTL_JOIN_SESSION_KEYRING, None), "keyctl")


def cgroup_trees():
    """Where this process may make cgroups: its own in each tree that a sandbox needs."""
    points = {}
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        for line in file:
            fields, rest = (part.split() for part in line.split(" - ", 1))
            for name in ["unified"] if rest[0] == "cgroup2" else rest[2].split(","):
                if rest[0].startswith("cgroup") and name in ("unified", "memory", "pids", "cpu"):
                    points.setdefault(name, (fields[4], fields[3]))
    trees = set()
    with open("/proc/self/cgroup", encoding="utf-8") as file:
        for line in file:
            _, names, path = line.rstrip("\n").split(":", 2)
            for name in names.split(",") if names else ["unified"]:
                if name in points:
                    point, root = points[name]
                    trees.add(point + path.removeprefix(root.rstrip("/")))
    return sorted(tree for tree in trees if os.path.isdir(tree))


def cgroup_us():
    """Microseconds to make a cgroup in every tree, to join it and to remove it, beside a child without any."""
    paths = [f"{tree}/sandpool-bench-{os.getpid()}" for tree in cgroup_trees()]
    started = time.perf_counter_ns()
    for path in paths:
        os.mkdir(path)
    made = (time.perf_counter_ns() - started) / 1000

    def inside():
        for path in paths:
            with open(f"{path}/cgroup.procs", "w", encoding="ascii") as file:
                file.write("0")
    try:
        used = child_us(inside=inside)
    finally:
        started = time.perf_counter_ns()
        for path in paths:
            os.rmdir(path)
        made += (time.perf_counter_ns() - started) / 1000
    return None if used is None else used + made


def prices(directory, runs):
    """Median microseconds of each mechanism over `runs` children; None where this host does not have it."""
    mounts, user = NAMESPACES["mount"], NAMESPACES["user"]
    # What is measured, and what the same child is without it.
    measured = {f"{name} namespace": (lambda flag=flag: child_us(flag), child_us) for name, flag in NAMESPACES.items()}
    alone = lambda: child_us(mounts, private_mounts)  # noqa: E731
    measured["tmpfs and overlay root"] = (lambda: child_us(mounts, overlay(directory)), alone)
    measured["masks over /proc"] = (lambda: child_us(mounts, masks), alone)
    measured["id map"] = (lambda: child_us(user, beside=identity_map), lambda: child_us(user, beside=lambda _: None))
    measured["cgroups, v1 and v2"] = (cgroup_us, child_us)
    measured["seccomp filter of 400 instructions"] = (lambda: child_us(inside=seccomp(400)), child_us)
    measured["session keyring"] = (lambda: child_us(inside=keyring), child_us)
    result = {}
    for name, (with_it, without) in measured.items():
        pairs = [(with_it(), without()) for _ in range(runs)]
        if any(None in pair for pair in pairs):
            result[name] = None
        else:
            result[name] = statistics.median(a for a, _ in pairs) - statistics.median(b for _, b in pairs)
    return result
