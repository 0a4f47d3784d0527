"""Kills and stops real processes at random and at named points while mixed jobs run, and checks every job."""

import random
import signal
import time

from injection import Injection
from points import POINTS
from trial import trial

#: Jobs in flight.
FLIGHT = 14
#: Faults between two moments at which everything has to come to its end.
ROUND = 40
#: How often a service is the one, and how often it is stopped for a while and not killed.
TARGETS = {"coordinator": 8, "worker": 7, "launcher": 2}
STOPS = 0.15
LONGEST_STOP = 1.5
#: How many launchers are struck whatever runs: also one that has only just started.
BARE = 0.05
#: How long a named point is waited for at a time, and how often.
PATIENCE = 4
TRIES = 8
#: Of the faults, how many have to strike where commands run.
BUSY = 0.9
#: The same of the named points, where each is hit once: three without commands are more than a tenth.
BUSY_ONCE = 0.75


def plan(draw, faults, hits):
    """The faults in their order: a seed names the same ones again."""
    found = []
    for point in POINTS:
        found += [("point", point, draw.randrange(2), draw.randint(1, point.most)) for _ in range(hits)]
    while len(found) < faults:
        target = draw.choices(list(TARGETS), list(TARGETS.values()))[0]
        stops = draw.random() < STOPS
        extra = draw.uniform(0.02, LONGEST_STOP) if stops else draw.choice((0, 0, 0.1, 0.3, 0.6))
        found.append(("stop" if stops else "kill", target, draw.randrange(2), extra))
    draw.shuffle(found)
    return found


class Campaign:
    def __init__(self, work, draw, is_verbose):
        self.work, self.draw, self.is_verbose = work, draw, is_verbose
        self.pool, self.watcher = work.pool, work.watcher
        self.kills, self.stops, self.busy = {}, {}, 0
        self.points = {point.name: [0, 0] for point in POINTS}

    def strike(self, faults):
        for number, (kind, argument, index, extra) in enumerate(faults):
            self.work.await_commands()
            if self.is_verbose:
                self.work.say(f"{number} {kind} {argument.name if kind == 'point' else argument} {index} {extra}")
            if kind == "point":
                self._point(argument, index, extra)
            elif kind == "kill":
                self._process(argument, index, signal.SIGKILL)
                time.sleep(extra)
            else:
                self._process(argument, index, signal.SIGSTOP)
                time.sleep(extra)
                self._service(argument, index).signal(signal.SIGCONT)
            if (number + 1) % ROUND == 0 and not self.work.settle(f"fault {number + 1} of {len(faults)}"):
                return

    def _service(self, target, index):
        return {"coordinator": self.pool.coordinator, "worker": self.pool.workers[index],
                "launcher": self.pool.launchers[index]}[target]

    def _is_busy(self, service):
        """Whether commands run: on any host for the coordinator, else on the service's own."""
        if service is self.pool.coordinator:
            return self.watcher.live() > 0
        return self.watcher.live(self.pool.launchers[int(service.name[-1])].pid) > 0

    def _await_commands(self, service):
        """A fault with nothing running would show little."""
        end = time.monotonic() + PATIENCE
        while not self._is_busy(service) and time.monotonic() < end:
            time.sleep(0.01)

    def _process(self, target, index, number):
        service = self._service(target, index)
        self.pool.wait(lambda: service.is_running, service.name, 10)
        if target != "launcher" or self.draw.random() > BARE:
            self._await_commands(service)
        busy = self._is_busy(service)
        if service.signal(number):
            self._count(self.kills if number == signal.SIGKILL else self.stops, target, busy)

    def _count(self, table, target, busy):
        table[target] = table.get(target, 0) + 1
        self.busy += busy

    def _point(self, point, index, when):
        """Until it was hit: each try is at another moment of the load."""
        service = self._service(point.of, index)
        self.work.load.kinds = point.kinds
        for _ in range(TRIES):
            self.pool.wait(lambda: service.is_running, service.name, 10)
            paths = point.paths(self.pool, index) if point.paths else []
            if point.paths and not paths:
                time.sleep(0.2)
                continue
            injection = Injection(
                self.pool.base, service, point.call, "signal=KILL", paths, when, threads=point.of != "launcher")
            self._await_commands(service)
            injection.attach()
            hit, busy = injection.await_kill(PATIENCE, lambda: self._is_busy(service))
            if hit:
                service.note_kill()
                self._count(self.kills, point.of, busy)
                self.points[point.name][0] += 1
                self.points[point.name][1] += busy
                break
            when = 1
            if self.is_verbose:
                self.work.say(f"  missed; {injection.said()[-300:]}")
        self.work.load.kinds = None

    def report(self, hits):
        """What was done, in lines, and what of it is too little."""
        kills, stops = sum(self.kills.values()), sum(self.stops.values())
        lines = [f"{kills} kills {self.kills}, {stops} stops {self.stops}; commands ran where it struck in {self.busy} "
                 f"of {kills + stops}"]
        lines += [f"{found:5} hits, {busy:3} with commands running: {name}"
                  for name, (found, busy) in self.points.items()]
        problems = [f"'{name}' was hit {found} times, not {hits}"
                    for name, (found, _) in self.points.items() if found < hits]
        found = [sum(column) for column in zip(*self.points.values())]
        lines.append(f"{found[0]} hits of named points, {found[1]} with commands running")
        if found[1] < (BUSY if hits > 1 else BUSY_ONCE) * found[0]:
            problems.append(f"commands ran in only {found[1]} of {found[0]} hits of named points")
        if self.busy < BUSY * (kills + stops):
            problems.append(f"commands ran where it struck in only {self.busy} of {kills + stops}")
        return lines, problems


def run(build, seed, run_id, faults, hits, without=(), is_verbose=False):
    draw = random.Random(seed)
    chosen = plan(draw, faults, hits)
    campaign = None
    with trial(build, draw.random(), run_id, FLIGHT) as work:
        work.load.without = set(without)
        campaign = Campaign(work, draw, is_verbose)
        campaign.strike(chosen)
    if campaign:
        lines, lacking = campaign.report(hits)
        for line in lines:
            print(line)
        for line in work.load.summary():
            print(line)
        work.problems += lacking if not work.problems else []
    return work.problems
