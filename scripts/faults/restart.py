"""Orderly restarts of both services, as `systemctl restart` does them, under 50 sandboxes that stream output."""

import time

import jobs
from load import Entry
from trial import trial

SANDBOXES = 50
ROUNDS = 3
#: Steps of each command, with a pause of a tenth of a second after each.
STEPS = 120


def plan(index, run_id, draw):
    """Each command writes something of its own on both streams, and ends with a code of its own."""
    code = 1 + index
    script = (f"i=1; while [ $i -le {STEPS} ]; do seq -f '{index} %.0f' 1 40; echo {index} $i >&2; i=$((i+1)); "
              f"sleep 0.1; done; exit {code}")
    expected = jobs.Expected(
        "failed", "exited", code, code, stdout=b"".join(b"%d %d\n" % (index, n) for n in range(1, 41)) * STEPS,
        stderr=b"".join(b"%d %d\n" % (index, n) for n in range(1, STEPS + 1)))
    return jobs.Plan(index, "streaming", f"fault-{run_id}-{index}", script, expected, "never")


def run(build, seed, run_id):
    with trial(build, seed, run_id, SANDBOXES, is_open=False, cpus=8, workers=1) as work:
        work.load.flying += [Entry(plan(index, run_id, None), time.time()) for index in range(SANDBOXES)]
        work.await_commands(SANDBOXES)
        for number in range(ROUNDS):
            for service in (work.pool.coordinator, work.pool.workers[0]):
                service.restart()
                alive = work.watcher.live()
                if alive != SANDBOXES:
                    work.problems.append(f"round {number}: {alive} commands run after a restart of {service.name}")
            work.pool.wait(lambda: work.pool.connected() == 1, "the worker")
            work.say(f"round {number + 1}: both restarted, {work.watcher.live()} commands run")
        work.settle("all ends", 120, is_last=True)
        exact = sum(count for (_, verdict), count in work.load.counts.items() if verdict == "exact")
        runs = len(work.watcher.runs)
        work.say(f"{exact} of {SANDBOXES} results exact, output complete to the byte, {runs} runs")
        if exact != SANDBOXES or runs != SANDBOXES:
            work.problems.append(f"{exact} of {SANDBOXES} results are exact, of {runs} runs")
    return work.problems
