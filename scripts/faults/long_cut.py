"""A host that is cut off for longer than a rerun-safe job is waited for."""

import time

import jobs
import network
from load import Entry
from trial import trial

#: A rerun-safe attempt is replaced after two minutes of silence (design: "Leases, fencing, recovery").
SILENCE = 150


def run(build, seed, run_id):
    """The safe job runs again on the other host, never twice at once; the other one goes on where it is."""
    with trial(build, seed, run_id, 2, is_open=False) as work:
        plans = []
        for index, rerun in enumerate(("safe", "never")):
            plan = jobs.Plan(
                index, "long", f"fault-{run_id}-{index}", "echo begin; sleep 200; echo end; exit 6",
                jobs.Expected("failed", "exited", 6, 6, stdout=b"begin\nend\n"), rerun, timeout=600)
            plans.append(plan)
        work.load.flying += [Entry(plan, time.time()) for plan in plans]
        work.await_commands(2)
        busy = next(index for index, launcher in enumerate(work.pool.launchers) if work.watcher.live(launcher.pid))
        work.pool.is_cut_long = True
        work.pool.hosts.rules(busy, network.CUTS["cut both ways"])
        time.sleep(SILENCE)
        work.pool.hosts.rules(busy, ())
        work.settle("both jobs", 400, is_last=True)
        runs = [len(work.watcher.of(index)) for index in range(2)]
        work.say(f"runs of the safe and of the other job: {runs}")
        if runs != [2, 1]:
            work.problems.append(f"the safe job ran {runs[0]} times, not 2, and the other {runs[1]} times, not 1")
    return work.problems
