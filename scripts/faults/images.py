"""The coordinator loses power at its syncs: what is on its disk then is reopened and held against what it had promised.

Its directory is an ext4 file system in a file. After each fdatasync(2) and fsync(2), and at moments between, it is
stopped and that file is copied: what the kernel had not written down by then, a power cut would have taken. The copy is
mounted, which replays the file system's journal, and a coordinator of the same build is started on it.
"""

import filecmp
import os
import shutil
import signal
import time

import checker
from client import GONE, APIError, Client
from hosts import run as command
from injection import Injection
from pool import COORDINATOR_USER, as_user, free_port
from service import Service
from trial import trial

MEBIBYTES = 64
RESERVE = 1 << 20
PATIENCE = 10
#: Of the ends that were shown, the latest are looked for; those before were found in earlier copies.
RECENT = 60


class Disk:
    """A mounted file system in a file."""

    def __init__(self, image, path):
        self.image, self.path = image, path
        os.makedirs(path, exist_ok=True)

    def make(self):
        with open(self.image, "wb") as file:
            file.truncate(MEBIBYTES << 20)
        command("mkfs.ext4", "-q", "-m", "0", self.image)
        self.mount()
        os.chown(self.path, COORDINATOR_USER, COORDINATOR_USER)
        os.chmod(self.path, 0o700)

    def mount(self):
        # The kernel itself writes back only where it is told to, or after five minutes.
        command("mount", "-o", "loop,commit=300", self.image, self.path)

    def remove(self):
        command("umount", self.path, check=False)


def promises(load):
    """What clients have been told by now: the jobs that were taken, and the ends that were shown, with their output."""
    taken = [entry for entry in load.flying if entry.id]
    return taken, load.done[-RECENT:]


def run(build, seed, run_id, count):
    disk = {}

    def prepare(pool):
        disk["own"] = Disk(f"{pool.base}/coordinator.img", f"{pool.base}/coordinator")
        disk["own"].make()
        return disk["own"].remove

    with trial(build, seed, run_id, 8, prepare, config={"reserveBytes": RESERVE}) as work:
        work.load.without = {"stdin", "large"}
        seen = {"jobs": 0, "ends": 0, "bytes": 0}
        for number in range(count):
            work.await_commands(1)
            stopped = stop_at_sync(work) if number % 4 else stop_now(work)
            if not stopped:
                continue
            facts = promises(work.load)
            # A file of its own: the kernel may still hold the last one's loop device for a moment.
            copy = f"{work.pool.base}/copy{number}.img"
            duplicate(disk["own"].image, copy)
            work.pool.coordinator.signal(signal.SIGCONT)
            work.problems += reopen(work, copy, facts, seen)
            if work.problems:
                break
            os.unlink(copy)
            if number % 20 == 19:
                work.say(f"{number + 1} copies reopened: {seen}")
        work.say(f"{count} copies reopened: {seen}")
    return work.problems


def duplicate(image, copy):
    """Copies an image as it is at one moment: the kernel's own threads may be writing to it."""
    while True:
        shutil.copyfile(image, copy)
        if filecmp.cmp(image, copy, shallow=False):
            return


def stop_now(work):
    work.pool.coordinator.signal(signal.SIGSTOP)
    return await_stop(work.pool.coordinator)


def stop_at_sync(work):
    """Stops the coordinator right after its next sync of anything; False where none came."""
    service = work.pool.coordinator
    injection = Injection(work.pool.base, service, "fdatasync,fsync", "signal=STOP")
    injection.attach()
    stopped = await_stop(service)
    # The process stays stopped when its tracer goes (ptrace(2), PTRACE_DETACH).
    injection.detach()
    if stopped:
        service.signal(signal.SIGSTOP)
        return await_stop(service)
    return False


def await_stop(service):
    """Whether all of its threads stand still within the patience."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            states = set()
            for thread in os.listdir(f"/proc/{service.pid}/task"):
                with open(f"/proc/{service.pid}/task/{thread}/stat") as file:
                    states.add(file.read().rpartition(")")[2].split()[0])
        except OSError:
            return False
        if states <= {"T", "t"}:
            return True
        time.sleep(0.005)
    return False


def reopen(work, image, facts, seen):
    """Everything that a copy does not keep of what was promised before it was taken."""
    copy = Disk(image, f"{work.pool.base}/copy")
    copy.mount()
    port = free_port()
    service = Service(
        "copy", as_user(COORDINATOR_USER) + [
            work.pool.sandpool, "coordinator", "start", "--data-dir", copy.path, "--listen", f"127.0.0.1:{port}",
            "--config", work.pool.config], f"{work.pool.base}/copy.log")
    client = Client("127.0.0.1", port, work.pool.client.token)
    try:
        service.start()
        work.pool.wait(client.is_there, "the coordinator on a copy")
        problems = []
        for entries, is_ended in zip(facts, (False, True)):
            for entry in entries:
                problems += kept(client, entry, is_ended, seen)
        return problems
    finally:
        service.stop()
        copy.remove()


def kept(client, entry, is_ended, seen):
    name = f"{entry.plan.marker} ({entry.plan.kind}, {entry.id})"
    try:
        job = client.job(entry.id)
    except APIError as error:
        return [f"{name} was taken and is not on the disk: {error}"]
    except GONE as error:
        return [f"the coordinator on a copy: {error}"]
    seen["jobs"] += 1
    if not is_ended:
        return []
    keys = ("state", "cause", "returnCode", "exitCode", "signal", "finishedAt")
    lost = [key for key in keys if job.get(key) != entry.job.get(key)]
    if lost:
        return [f"{name} was shown as {entry.job['state']}, and the disk has {job['state']}: {', '.join(lost)}"]
    output = {stream: client.output(entry.id, stream) for stream in ("stdout", "stderr")}
    seen["ends"] += 1
    seen["bytes"] += sum(map(len, output.values()))
    if job.get("cause") == "worker_lost":
        return []
    return [f"{name}, on the disk: {problem}" for problem in checker.differences(job, entry.plan, output)]
