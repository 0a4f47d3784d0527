"""Errors of the disk on both sides: at precise system calls by strace(1), and on small file systems that are full."""

import os
import time

import points
from client import APIError
from hosts import run as command
from injection import Injection
from pool import COORDINATOR_USER, WORKER_USER
from trial import trial

#: A process of the pool, a call, its files, and what it is answered; the kinds of jobs that lead there.
ERRORS = [
    ("coordinator", call, paths, error, kinds)
    for call, paths, kinds in (
        ("pwrite64", points.database, ("ok", "failing")), ("fdatasync", points.database, ("ok", "failing")),
        ("pwrite64", points.output_files, ("streaming", "large")),
        ("fdatasync", points.output_files, ("streaming", "large")),
        ("mkdir", None, ("streaming",)), ("ftruncate", None, ("streaming",)),
    )
    for error in ("ENOSPC", "EIO")
] + [
    ("worker", call, paths, error, ("ok", "failing", "large"))
    for call, paths in (
        ("pwrite64", points.journal), ("fdatasync", points.journal), ("pwrite64", points.records),
        ("pread64", None), ("memfd_create", None))
    for error in ("ENOSPC", "EIO")
]
#: Seconds for which a lasting error lasts.
LASTING = 1.5


def run_errors(build, seed, run_id, is_short):
    """Each error once, and again for a while; every job still ends exactly."""
    counts = {}
    with trial(build, seed, run_id, 10) as work:
        work.load.without = {"stdin"}
        # Both errors of a call are answered alike: the short form takes turns.
        for target, call, paths, error, kinds in ERRORS[::2][::2] + ERRORS[1::2][1::2] if is_short else ERRORS:
            for when in ("1",) if is_short else ("1", "2", "1+"):
                hits = strike(work, target, call, paths, error, when, kinds)
                name = f"{target} {call} {paths.__name__ if paths else 'any'} {error}"
                counts[name] = counts.get(name, 0) + hits
            if not work.settle(f"{name}, {counts[name]} times"):
                break
    work.problems += [f"never came: {name}" for name, count in counts.items() if not count]
    return work.problems


def strike(work, target, call, paths, error, when, kinds):
    """How many calls were answered with the error; it is waited for over several tries."""
    work.load.kinds = kinds
    service = work.pool.coordinator if target == "coordinator" else work.pool.workers[0]
    hits = 0
    for _ in range(6):
        work.await_commands()
        found = paths(work.pool, 0) if paths else []
        if paths and not found:
            time.sleep(0.2)
            continue
        injection = Injection(work.pool.base, service, call, f"error={error}", found, when)
        injection.attach()
        came = injection.await_error(4)
        if came and when == "1+":
            time.sleep(LASTING)
        injection.detach()
        hits = injection.count()
        if came:
            break
    work.load.kinds = None
    return hits


class SmallDisk:
    """A directory of the pool's on a tmpfs of its own, and a file that fills it."""

    def __init__(self, pool, name, mebibytes, user=None):
        self.path = pool.place(name)
        command("mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=0711", "sandpool-faults", self.path)
        if user is not None:
            os.chown(self.path, user, user)

    def fill(self):
        """Leaves not one block; also of those that are freed meanwhile."""
        size = 1 << 20
        with open(f"{self.path}/filler", "ab", buffering=0) as file:
            while size:
                try:
                    file.write(b"\0" * size)
                except OSError:
                    size //= 2

    def make_room(self):
        os.unlink(f"{self.path}/filler")

    def remove(self):
        command("umount", "-l", self.path, check=False)


def run_full(build, seed, run_id, is_short):
    """Each disk of the pool in turn is full for a while, with jobs in every state."""
    disks = {}

    def prepare(pool):
        disks["coordinator"] = SmallDisk(pool, "coordinator", 160, COORDINATOR_USER)
        disks["worker"] = SmallDisk(pool, "worker0", 32, WORKER_USER)
        disks["launcher"] = SmallDisk(pool, "launcher0", 64)
        return lambda: [disk.remove() for disk in disks.values()]

    with trial(build, seed, run_id, 10, prepare) as work:
        work.load.without = {"stdin"}
        for name, disk in disks.items():
            for _ in range(1 if is_short else 2):
                work.load.kinds = ("streaming", "large", "ok", "cancelled")
                work.await_commands(3)
                spare = work.pool.client.post("/v1/tokens", {"name": "spare", "role": "read"})["token"]["id"]
                disk.fill()
                end = time.monotonic() + (2 if is_short else 4)
                if name == "coordinator":
                    check_full(work, disk, spare)
                while time.monotonic() < end:
                    disk.fill()
                    time.sleep(0.1)
                disk.make_room()
                work.load.kinds = None
            if not work.settle(f"the disk of the {name} was full"):
                break
        work.say(f"refused meanwhile: {work.load.refusals}")
        if not work.load.refusals.get(507):
            work.problems.append("nothing was refused with 507")
    return work.problems


def check_full(work, disk, spare):
    """What has to work on a full disk, and what must not (design: "Disk full")."""
    client = work.pool.client
    worker = client.get("/v1/workers")[0]["id"]
    try:
        client.post("/v1/jobs", {"command": ["true"], "blockNetwork": True, "name": "on-a-full-disk"})
        work.problems.append("a job was taken on a full disk")
    except APIError as error:
        if error.status != 507:
            work.problems.append(f"a job on a full disk was answered {error}")
    running = next((entry for entry in work.load.flying if entry.id and entry.plan.kind == "cancelled"), None)
    if running:
        running.cancel_sent = running.cancel_answered = True
    for what, act in (
        ("cancel", lambda: running and client.post(f"/v1/jobs/{running.id}/cancel")),
        ("drain", lambda: client.post(f"/v1/workers/{worker}/drain", {"reason": "full"})),
        ("resume", lambda: client.post(f"/v1/workers/{worker}/resume")),
        ("revocation", lambda: client.request("DELETE", f"/v1/tokens/{spare}")),
    ):
        disk.fill()
        try:
            act()
        except (APIError, OSError) as error:
            work.problems.append(f"{what} on a full disk: {error}")
