"""The named points: a process of the pool, and the system call at whose entry it is killed."""

import dataclasses
import glob
import os


@dataclasses.dataclass(frozen=True)
class Point:
    """`call` of the service `of`, on one of the files that `paths` finds (any, where it is none).

    A process that is killed at the entry of a call has not made it (ptrace(2), syscall-stops), so "before the sync"
    is the call itself, and "after the sync" is what the process would do next.
    """

    name: str
    of: str
    call: str
    paths: object = None
    #: Kinds of jobs that lead there soonest.
    kinds: tuple = ("ok", "failing", "streaming")
    #: At most which of the calls it is, counted from the moment of attaching.
    most: int = 3


def database(pool, index):
    return [f"{pool.base}/coordinator/sandpool.sqlite-wal"]


def output_files(pool, index):
    """The newest output files: where strace(1) can only name files that exist."""
    found = glob.glob(f"{pool.base}/coordinator/output/*/*/*.std???")
    return sorted(found, key=modified)[-24:]


def modified(path):
    try:
        return os.stat(path).st_mtime
    except OSError:
        return 0


def output_folders(pool, index):
    return glob.glob(f"{pool.base}/coordinator/output/*")


def journal(pool, index):
    return [f"{pool.base}/worker{index}/journal"]


def records(pool, index):
    return glob.glob(f"{pool.base}/worker{index}/attempts/*")


POINTS = [
    Point("database: write to the log", "coordinator", "pwrite64", database, most=20),
    Point("database: sync of the log", "coordinator", "fdatasync", database),
    Point("output: write", "coordinator", "pwrite64", output_files, ("streaming", "large")),
    Point("output: sync", "coordinator", "fdatasync", output_files, ("streaming", "large")),
    Point("output: sync of a new folder", "coordinator", "fsync", None, ("streaming",), 2),
    Point("coordinator: answer on a connection", "coordinator", "writev", None, most=6),
    Point("coordinator: a new connection", "coordinator", "accept4", None),
    Point("journal: write", "worker", "pwrite64", journal),
    Point("journal: sync", "worker", "fdatasync", journal),
    Point("record of an attempt: write or removal", "worker", "pwrite64", records),
    Point("worker: plan made, not sent", "worker", "memfd_create", None),
    Point("worker: message to the launcher", "worker", "sendmsg", None, most=4),
    Point("worker: word to the coordinator", "worker", "writev", None, most=6),
    Point("worker: output read from the spool", "worker", "pread64", None, ("streaming", "large")),
    Point("launcher: request received", "launcher", "recvmsg", None, most=4),
    Point("launcher: spool taken", "launcher", "fcntl", None, most=20),
    Point("launcher: cgroup made", "launcher", "mkdirat", None, most=4),
    Point("launcher: limit written", "launcher", "write", None, most=6),
    Point("launcher: writable layer mounted", "launcher", "fsmount", None),
    Point("launcher: tree attached", "launcher", "move_mount", None, most=2),
    Point("launcher: mount point released", "launcher", "umount2", None, most=2),
    Point("launcher: namespaces entered", "launcher", "setns", None, most=6),
    Point("launcher: sandbox cloned", "launcher", "clone3", None, most=2),
    Point("launcher: event sent", "launcher", "sendmsg", None, most=4),
    Point("launcher: end waited for", "launcher", "wait4", None, most=2),
    Point("launcher: cgroup removed", "launcher", "unlinkat", None, most=4),
]
