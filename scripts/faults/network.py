"""What networks do to the sessions of workers: cuts, one-way loss, lost packets, delay and half-open connections."""

import time

from relay import Relay
from trial import trial

#: Rules of nft(8) on a worker's host; {} is the interface to the coordinator.
IN = "chain input {{ type filter hook input priority 0; iifname uplink {} drop; }}"
OUT = "chain output {{ type filter hook output priority 0; oifname uplink {} drop; }}"
LOSSY = "numgen random mod 100 < 30"
CUTS = {
    "cut both ways": (IN.format(""), OUT.format("")),
    "nothing arrives at the worker": (IN.format(""),),
    "nothing leaves the worker": (OUT.format(""),),
    "three packets in ten are lost": (IN.format(LOSSY), OUT.format(LOSSY)),
}
#: Seconds of each: below and above what a lease and a silence last (30 and 35 s).
SHORT, LONG = (3,), (3, 12, 45)


def run(build, seed, run_id, is_short):
    with trial(build, seed, run_id, 10) as work:
        # A command that is followed by nobody else is cancelled after a minute, which is not what is looked at here.
        work.load.without = {"stdin"}
        for name, rules in CUTS.items():
            for seconds in SHORT if is_short else LONG:
                if not cut(work, name, rules, seconds):
                    return work.problems
        half_open(work)
    return work.problems if is_short else work.problems + slow(build, seed + 1, f"{run_id}s")


def cut(work, name, rules, seconds):
    work.await_commands(2, 0)
    work.pool.hosts.rules(0, rules)
    time.sleep(seconds)
    work.pool.hosts.rules(0, ())
    return work.settle(f"{name} for {seconds} s", 150)


def half_open(work):
    """The coordinator restarts while a worker is cut off: the worker's connection goes on on one side alone."""
    work.await_commands(2, 0)
    work.pool.hosts.rules(0, CUTS["cut both ways"])
    work.pool.coordinator.restart()
    work.pool.wait(work.pool.client.is_there, "the coordinator")
    time.sleep(5)
    work.pool.hosts.rules(0, ())
    work.settle("half-open connection after a restart", 150)


def slow(build, seed, run_id):
    """Each message takes a quarter of a second each way."""
    relays = []

    def prepare(pool):
        relays.append(Relay(pool.port))
        pool.door = relays[0].door
        relays[0].delay = 0.25
        return relays[0].close

    with trial(build, seed, run_id, 10, prepare) as work:
        work.load.without = {"stdin"}
        work.await_commands(4)
        time.sleep(8)
        work.settle("a quarter of a second each way")
    return work.problems
