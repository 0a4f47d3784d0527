"""Keeps mixed jobs coming, follows each to its end, and has the checker look at it there."""

import dataclasses
import os
import random
import subprocess
import threading
import time

import checker
import jobs
from client import GONE, APIError


@dataclasses.dataclass
class Entry:
    """What is known of one job from outside. Times are of CLOCK_REALTIME, in seconds."""

    plan: jobs.Plan
    submitted: float
    id: str | None = None
    #: Whether its cancellation was asked for, and answered.
    cancel_sent: bool = False
    cancel_answered: bool = False
    #: The most bytes of each stream that a reader was shown.
    shown: dict = dataclasses.field(default_factory=dict)
    process: subprocess.Popen | None = None
    job: dict | None = None
    finished: float | None = None


class Load:
    """`target` jobs are in flight at a time, from a thread of its own, while it is `open`."""

    def __init__(self, pool, watcher, run, seed, target):
        self.pool, self.watcher, self.run, self.target = pool, watcher, run, target
        self.draw = random.Random(seed)
        self.flying = []
        self.done = []
        self.violations = []
        self.counts = {}
        self.refusals = {}
        self.kinds = None
        self.without = set()
        self.open = True
        self._next = 0
        self._ending = False
        self._thread = threading.Thread(target=self._loop, name="load", daemon=True)

    def start(self):
        self._thread.start()

    def _loop(self):
        while not self._ending:
            try:
                while self.open and len(self.flying) < self.target:
                    self.flying.append(self._make())
                for entry in list(self.flying):
                    self._advance(entry)
            except (*GONE, APIError):
                pass
            time.sleep(0.05)

    def _make(self):
        kind = self.draw.choice(self.kinds) if self.kinds else None
        plan = jobs.make(self._next, self.run, self.draw, kind)
        while plan.kind in self.without:
            plan = jobs.make(self._next, self.run, self.draw)
        self._next += 1
        return Entry(plan, time.time())

    def _advance(self, entry):
        """One step of one job; raises where the coordinator is away."""
        if entry.plan.stdin is not None:
            return self._advance_command(entry)
        if entry.id is None:
            self._submit(entry)
        job = self.pool.client.job(entry.id)
        if job["state"] in checker.FINAL:
            return self._finish(entry, job)
        if entry.plan.kind == "cancelled" and not entry.cancel_answered:
            if job["state"] == "running" or entry.cancel_sent or entry.plan.index % 4 == 0:
                entry.cancel_sent = True
                self.pool.client.post(f"/v1/jobs/{entry.id}/cancel")
                entry.cancel_answered = True
        if entry.plan.kind == "streaming" and job["state"] == "running" and self.draw.random() < 0.3:
            data = self.pool.client.output(entry.id, "stdout")
            attempt = job["attempts"][-1]["id"]
            entry.shown[attempt] = max(entry.shown.get(attempt, b""), data, key=len)

    def _submit(self, entry):
        """With the same key until there is an answer; a key that was answered names the same job again."""
        try:
            job = self.pool.client.post("/v1/jobs", entry.plan.spec())
        except APIError as error:
            self.refusals[error.status] = self.refusals.get(error.status, 0) + 1
            if error.status < 500:
                self.flying.remove(entry)
                self.violations.append(f"{entry.plan.marker} was refused: {error}")
            raise
        if self.draw.random() < 0.1:
            again = self.pool.client.post("/v1/jobs", entry.plan.spec())
            if again["id"] != job["id"]:
                self.violations.append(f"{entry.plan.marker}: one key names {job['id']} and {again['id']}")
        entry.id = job["id"]

    def _advance_command(self, entry):
        base = f"{self.pool.base}/{entry.plan.marker}"
        if entry.process is None:
            with open(f"{base}.in", "wb") as file:
                file.write(entry.plan.stdin)
            with open(f"{base}.in", "rb") as source, open(f"{base}.out", "wb") as out, open(f"{base}.err", "wb") as err:
                entry.process = subprocess.Popen(
                    [self.pool.sandpool, "run", *entry.plan.options()], stdin=source, stdout=out, stderr=err,
                    env={"PATH": "/usr/bin:/bin", **self.pool.environment()})
        code = entry.process.poll()
        if code is None:
            return
        try:
            job = self.pool.client.job(entry.plan.marker)
        except APIError as error:
            if error.status != 404:
                raise
            job = None
        with open(f"{base}.out", "rb") as out, open(f"{base}.err", "rb") as err:
            stdout, stderr = out.read(), err.read()
        problem = checker.command_problem(code, stdout, stderr, job, entry.plan)
        if job is None:
            # Never accepted, and the command said so.
            self.flying.remove(entry)
            self._note(entry, "refused", problem)
            return
        if job["state"] not in checker.FINAL:
            if entry.finished is None:
                entry.finished = time.time()
                if problem:
                    self._note(entry, None, problem)
            return
        for suffix in ("in", "out", "err"):
            os.unlink(f"{base}.{suffix}")
        self._finish(entry, job, problem)

    def _finish(self, entry, job, problem=None):
        output = {stream: self.pool.client.output(job["id"], stream) for stream in ("stdout", "stderr")}
        entry.id, entry.job, entry.finished = job["id"], job, time.time()
        runs = self.watcher.of(entry.plan.index)
        verdict, problems = checker.judge(entry, output, runs, self.pool)
        self.flying.remove(entry)
        self.done.append(entry)
        self._note(entry, verdict, problem, *problems)

    def _note(self, entry, verdict, *problems):
        if verdict:
            key = (entry.plan.kind, verdict)
            self.counts[key] = self.counts.get(key, 0) + 1
        for problem in problems:
            if problem:
                self.violations.append(f"{entry.plan.marker} ({entry.plan.kind}, {entry.id}): {problem}")

    def settle(self, seconds=60):
        """Takes nothing new and waits for the end of all; what had none in time."""
        self.open = False
        end = time.monotonic() + seconds
        while self.flying and time.monotonic() < end:
            time.sleep(0.05)
        return [f"{entry.plan.marker} ({entry.plan.kind}, {entry.id}) has no end after {seconds} s: "
                f"{self._state(entry)}" for entry in self.flying]

    def _state(self, entry):
        try:
            job = self.pool.client.job(entry.id or entry.plan.marker)
            ends = [(attempt["id"], attempt["state"], attempt.get("outcome")) for attempt in job["attempts"]]
            return f"{job['state']}, attempts {ends}"
        except (*GONE, APIError) as error:
            return f"{error}"

    def summary(self):
        """How many jobs of each kind ended how, in lines."""
        lines = [f"{count:5} jobs {kind}: {verdict}" for (kind, verdict), count in sorted(self.counts.items())]
        return lines + [f"refused: {self.refusals}, process events lost: {self.watcher.lost_events}"]

    def stop(self):
        self._ending = True
        self._thread.join()
        for entry in self.flying:
            if entry.process:
                entry.process.kill()
                entry.process.wait()
