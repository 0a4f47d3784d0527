"""Watches from outside, through the kernel's process events, when each job's command runs.

Nothing that Sandpool says takes part in this: cn_proc (Documentation/driver-api/connector.rst, linux/cn_proc.h) tells
each execve(2) and each exit with its status, and a command is known by the marker in its words.
"""

import dataclasses
import errno
import os
import socket
import struct
import threading

NETLINK_CONNECTOR, CN_IDX_PROC, PROC_CN_MCAST_LISTEN = 11, 1, 1
EVENT_EXEC, EVENT_EXIT = 2, 0x80000000
HEADER = 16 + 20
SO_RCVBUFFORCE, BUFFER_BYTES = 33, 32 << 20


@dataclasses.dataclass
class Run:
    """One execution of a job's command. Times are of the kernel's monotonic clock, in nanoseconds."""

    index: int
    pid: int
    launcher: int
    began: int
    ended: int | None = None
    #: As wait(2) gives it.
    status: int | None = None


class Watcher:
    def __init__(self, run):
        self.prefix = f"fault-{run}-".encode()
        self.runs = []
        self.lost_events = 0
        self._live = {}
        self._lock = threading.Lock()
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, NETLINK_CONNECTOR)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES)
        self._socket.bind((0, CN_IDX_PROC))
        message = struct.pack("=IIIIHHI", CN_IDX_PROC, 1, 0, 0, 4, 0, PROC_CN_MCAST_LISTEN)
        self._socket.send(struct.pack("=IHHII", 16 + len(message), 3, 0, 0, 0) + message)
        threading.Thread(target=self._read, name="watcher", daemon=True).start()

    def _read(self):
        while True:
            try:
                data = self._socket.recv(4096)
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    return
                self.lost_events += 1
                continue
            what, _, moment = struct.unpack_from("=IIQ", data, HEADER)
            if what == EVENT_EXEC:
                self._began(struct.unpack_from("=II", data, HEADER + 16)[1], moment)
            elif what == EVENT_EXIT:
                pid, group, status = struct.unpack_from("=III", data, HEADER + 16)
                if pid == group:
                    self._ended(pid, moment, status)

    def _began(self, pid, moment):
        if pid in self._live:
            return
        words = read(pid, "cmdline").split(b"\0")[:-1]
        if len(words) < 4 or words[0] != b"sh" or not words[-1].startswith(self.prefix):
            return
        # The launcher's child is the sandbox's first process, which is the command's parent.
        run = Run(int(words[-1][len(self.prefix):]), pid, parent(parent(pid)), moment)
        with self._lock:
            self._live[pid] = run
            self.runs.append(run)

    def _ended(self, pid, moment, status):
        with self._lock:
            run = self._live.pop(pid, None)
            if run:
                run.ended, run.status = moment, status

    def of(self, index):
        with self._lock:
            return [dataclasses.replace(run) for run in self.runs if run.index == index]

    def live(self, launcher=None):
        """How many commands run now, on one host or on all."""
        with self._lock:
            return sum(launcher in (None, run.launcher) for run in self._live.values())

    def close(self):
        self._socket.close()


def read(pid, name):
    try:
        with open(f"/proc/{pid}/{name}", "rb") as file:
            return file.read(8192)
    except OSError:
        return b""


def parent(pid):
    words = read(pid, "stat").rpartition(b")")[2].split()
    return int(words[1]) if len(words) > 1 else 0
