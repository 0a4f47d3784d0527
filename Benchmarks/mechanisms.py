"""What each mechanism of isolation costs a start: what the launcher saves when it leaves out that one alone.

The launcher does so only where it measures its floor (Docs/decisions/0024). Rounds go through all mechanisms, each
between two measurements with all of them, so that what else the machine does meets both alike.
"""

import statistics

from pool import Pool

# As the launcher names them. Mount, pid and user namespace, the overlay and the writable layer carry the others: there
# is no sandbox without.
NAMES = {
    "seccomp": "seccomp filter", "capabilities": "capabilities dropped", "keyring": "session keyring",
    "cgroup": "cgroups with their limits", "resource-limits": "resource limits", "proc-masks": "masks over /proc",
    "id-map": "layers shown with the sandbox's ids", "generated-files": "generated files in /etc",
    "net-namespace": "net namespace", "ipc-namespace": "ipc namespace", "uts-namespace": "uts namespace and host name",
    "cgroup-namespace": "cgroup namespace",
}


def start_us(build, starts, without=None):
    """Microseconds from one start to the next, one sandbox at a time."""
    return 1e6 / Pool.floor_rate(build, starts, 1, without)


def prices(build, starts, rounds):
    """The median microseconds of a start, and of each mechanism's part of it the quartiles over the rounds."""
    start_us(build, starts)  # warms caches
    whole = []
    saved = {name: [] for name in NAMES}
    for _ in range(rounds):
        before = start_us(build, starts)
        for name in NAMES:
            less = start_us(build, starts, name)
            after = start_us(build, starts)
            whole.append(after)
            saved[name].append((before + after) / 2 - less)
            before = after
    return statistics.median(whole), {
        NAMES[name]: statistics.quantiles(values, n=4, method="inclusive") for name, values in saved.items()}
