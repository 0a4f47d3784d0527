"""Shows that the measured jobs skipped nothing: what was made durable, and what each sandbox had of its own."""

import os
import shutil
import signal
import subprocess
import tempfile

NAMESPACES = ("user", "mnt", "pid", "net", "ipc", "uts", "cgroup")


class SyncCount:
    """Counts the fsync(2) and fdatasync(2) calls of one process and its threads, with strace."""

    def __init__(self, process_id):
        self.log = tempfile.NamedTemporaryFile(mode="r", prefix="sandpool-strace-", encoding="utf-8")
        self.tracer = subprocess.Popen(
            ["strace", "--follow-forks", "--trace=fsync,fdatasync", f"--output={self.log.name}",
             f"--attach={process_id}"],
            stderr=subprocess.PIPE, text=True)
        # strace says so for the first thread when it holds them all.
        line = self.tracer.stderr.readline()
        if "attached" not in line:
            raise SystemExit(f"bench: strace cannot attach: {line.strip()}")

    def end(self):
        """Detaches; the number of calls that were completed."""
        self.tracer.send_signal(signal.SIGINT)
        self.tracer.communicate(timeout=30)
        # A call that another thread interrupted in the log has two lines; only the one that ends it has a result.
        return sum(1 for line in self.log if line.rstrip().endswith("= 0"))


def durability(table, pool, jobs):
    """How often each service synced to disk, for one job and for many at once."""
    if not shutil.which("strace"):
        table.note("syncs to disk: no strace on this host, rows left out")
        return
    for count in (1, jobs):
        counters = {name: SyncCount(pool.processes[name].pid) for name in ("coordinator", "worker")}
        pool.run_batch(count)
        for name, counter in counters.items():
            syncs = counter.end()
            if syncs == 0:
                raise SystemExit(f"bench: the {name} made nothing durable in {count} jobs")
            table.row(f"syncs to disk, {name}, {count} jobs at once", str(syncs), f"{syncs / count:.2f} a job")


def isolation(table, pool, jobs):
    """That sandboxes alive at the same time share no namespace with each other or the host."""
    shown = " ".join(f"/proc/self/ns/{name}" for name in NAMESPACES)
    # Each waits in its sandbox, so that all of them are alive at once and no inode number is used twice.
    script = f"readlink {shown}; grep -E '^(Seccomp|NoNewPrivs|CapEff):' /proc/self/status; sleep 2"
    alive = pool.run_shell([script] * jobs)
    own = {name: {os.readlink(f"/proc/self/ns/{name}")} for name in NAMESPACES}
    for output in alive:
        lines = output.split("\n")
        for name, link in zip(NAMESPACES, lines):
            if not link.startswith(f"{name}:[") or link in own[name]:
                raise SystemExit(f"bench: {link!r} is not a {name} namespace of the sandbox's own")
            own[name].add(link)
        status = dict(line.split(":\t") for line in lines[len(NAMESPACES):] if line)
        if status != {"Seccomp": "2", "NoNewPrivs": "1", "CapEff": "0" * 16}:
            raise SystemExit(f"bench: a sandbox runs with {status}")
    table.row(f"namespaces by inode, {jobs} sandboxes alive at once", f"{jobs * len(NAMESPACES)}", "none shared")
    table.row(f"seccomp filter, no_new_privs, no capability, of {jobs}", f"{jobs}", "all")
