"""Clocks, loops and the printed table."""

import os
import statistics
import subprocess
import sys
import time


class Table:
    """Rows of the result, printed when all are there and as they come on stderr."""

    def __init__(self):
        self.rows = []
        self.notes = []

    def row(self, what, figure, ratio):
        self.rows.append((what, figure, ratio))
        print(f"  {what}: {figure} {ratio}", file=sys.stderr, flush=True)

    def note(self, text):
        self.notes.append(text)

    def print(self):
        width = max(len(what) for what, _, _ in self.rows)
        print(f"{'measured':<{width}}  {'figure':>12}  ratio")
        for what, figure, ratio in self.rows:
            print(f"{what:<{width}}  {figure:>12}  {ratio}")
        for note in self.notes:
            print(f"note: {note}")


def loop_rate(command, count, parallel):
    """Runs `command` `count` times with `parallel` alive at once; processes a second. Any failure is fatal."""
    null = os.open(os.devnull, os.O_RDWR)
    alive = {}
    started = time.monotonic()
    launched = 0
    while launched < count or alive:
        while launched < count and len(alive) < parallel:
            process_id = os.posix_spawn(
                command(launched)[0] if callable(command) else command[0],
                command(launched) if callable(command) else command,
                os.environ,
                file_actions=[(os.POSIX_SPAWN_DUP2, null, fd) for fd in (0, 1, 2)],
            )
            alive[process_id] = True
            launched += 1
        process_id, status = os.wait()
        del alive[process_id]
        if status != 0:
            sys.exit(f"bench: {command} ended with wait status {status}")
    os.close(null)
    return count / (time.monotonic() - started)


def median_ms(commands, runs, environment):
    """Median wall time in milliseconds of each of the named commands, run in turn."""
    times = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            started = time.monotonic()
            subprocess.run(command, check=True, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            times[name].append((time.monotonic() - started) * 1000)
    return {name: statistics.median(values) for name, values in times.items()}
