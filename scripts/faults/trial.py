"""A pool with a load, for one scenario; taken down whole whatever comes of it."""

import contextlib
import time

import traces
from load import Load
from pool import Pool
from watcher import Watcher


class Trial:
    def __init__(self, pool, seed, run_id, flight):
        self.pool = pool
        self.watcher = Watcher(run_id)
        self.load = Load(pool, self.watcher, run_id, seed, flight)
        self.run_id = run_id
        self.problems = []
        self.began = time.monotonic()

    def say(self, text):
        print(f"{time.monotonic() - self.began:7.1f} s {text}", flush=True)

    def settle(self, where, seconds=90, is_last=False):
        """Has every job come to its end; then takes new ones again, unless it is the last time."""
        self.pool.revive()
        self.problems += self.load.settle(seconds)
        self.problems += self.load.violations
        self.load.violations = []
        self.problems += self.pool.crashes()
        self.problems += self.pool.check()
        self.say(f"{where}: {len(self.load.done)} jobs ended, {len(self.problems)} problems")
        self.load.open = not self.problems and not is_last
        return not self.problems

    def await_commands(self, count=2, index=None):
        launcher = None if index is None else self.pool.launchers[index].pid
        self.pool.wait(lambda: self.watcher.live(launcher) >= count, f"{count} running commands", 60)


@contextlib.contextmanager
def trial(build, seed, run_id, flight, prepare=None, is_open=True, **options):
    """Yields a running `Trial`. At the end everything is stopped in order and the host is compared with before.

    Jobs come from its load at once only where it `is_open`. `prepare` is given the pool before its start; what it returns is called after its end.
    """
    pool = Pool(build, **options)
    work = Trial(pool, seed, run_id, flight)
    undo = None
    try:
        undo = prepare(pool) if prepare else None
        pool.start()
        work.load.open = is_open
        work.load.start()
        yield work
        if work.settle("the end", is_last=True):
            pool.wait(lambda: work.watcher.live() == 0, "the end of all commands")
            # A worker keeps what it has not been told to be recorded.
            pool.wait(lambda: not traces.files(pool), "word that everything is recorded")
            paths = traces.cgroup_paths(pool)
            work.problems += pool.stop()
            work.problems += [f"left behind: {trace}" for trace in traces.remaining(pool, run_id, paths)]
    except RuntimeError as error:
        work.problems.append(f"{error}")
    finally:
        work.load.stop()
        work.problems += pool.stop()
        work.watcher.close()
        if undo:
            undo()
        if work.problems:
            pool.hosts.remove()
        else:
            pool.remove()
