"""What a pool has on the host, outside its own directory: after its orderly end there must be none of it."""

import os
import subprocess
import time

from hosts import PATH, run


def processes(pool, run_id):
    """Processes with the pool's directory or a job's marker in their words."""
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        try:
            with open(f"/proc/{name}/cmdline", "rb") as file:
                words = file.read().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if pool.base in words or f"fault-{run_id}-" in words:
            found.append(f"process {name}: {words[:150]}")
    return found


def cgroups(paths):
    found = []
    for path in paths:
        for folder, _, _ in os.walk(path):
            found.append(f"cgroup {folder}")
    return found


def cgroup_paths(pool):
    """What the launchers wrote down that their sandboxes' cgroups are below."""
    found = []
    for index in range(len(pool.launchers)):
        try:
            with open(f"{pool.base}/launcher{index}/cgroups") as file:
                found += file.read().split()
        except OSError:
            pass
    return found


def mounts(pool):
    """Mounts inside of the services' directories, in any mount namespace of a living process."""
    seen, found = set(), []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            space = os.readlink(f"/proc/{name}/ns/mnt")
            if space in seen:
                continue
            seen.add(space)
            with open(f"/proc/{name}/mountinfo") as file:
                places = [line.split()[4] for line in file if pool.base in line]
                found += [f"mount {place} in {space}" for place in places if os.path.dirname(place) != pool.base]
        except OSError:
            continue
    return found


def loops(pool):
    found = []
    for name in os.listdir("/sys/block"):
        try:
            with open(f"/sys/block/{name}/loop/backing_file") as file:
                backing = file.read().strip()
                if backing.startswith(pool.base) and os.path.dirname(backing) != pool.base:
                    found.append(f"loop device {name}")
        except OSError:
            continue
    return found


def network(pool):
    """Interfaces, addresses, routes and rules of each host."""
    found = []
    for index, name in enumerate(pool.hosts.names):
        for line in run("ip", "-n", name, "-o", "link").splitlines():
            if line.split()[1].rstrip(":").split("@")[0] not in ("lo", "uplink"):
                found.append(f"interface on {name}: {line}")
        rules = subprocess.run(
            pool.hosts.enter(index) + ["nft", "list", "ruleset"], capture_output=True, text=True, env={"PATH": PATH})
        found += [f"rule on {name}: {line}" for line in rules.stdout.splitlines()]
    return found


def files(pool):
    """What the directories of the services still hold of jobs."""
    found = []
    for index in range(len(pool.launchers)):
        for folder in ("spool", "disks", "projects"):
            base = f"{pool.base}/launcher{index}/{folder}"
            if os.path.isdir(base):
                found += [f"file {base}/{name}" for name in os.listdir(base)]
        for name in os.listdir(f"{pool.base}/worker{index}/downloads"):
            found.append(f"download worker{index}/{name}")
        attempts = f"{pool.base}/worker{index}/attempts"
        for name in os.listdir(attempts):
            with open(f"{attempts}/{name}", "rb") as file:
                if file.readline().strip():
                    found.append(f"record {attempts}/{name} of an attempt")
    return found


def remaining(pool, run_id, cgroup_list, seconds=15):
    """Everything that is left of a pool that was stopped; namespaces die a moment after their last process."""
    end = time.monotonic() + seconds
    while True:
        found = [*processes(pool, run_id), *cgroups(cgroup_list), *mounts(pool), *loops(pool), *network(pool),
                 *files(pool)]
        if not found or time.monotonic() > end:
            return found
        time.sleep(0.2)
