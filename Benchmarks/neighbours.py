"""How fast `true` jobs are beside others that try to take everything, each within ordinary limits."""

import contextlib
import json
import threading

LIMITS = {"blockNetwork": True, "cpus": 0.25, "memoryBytes": 128 << 20, "diskBytes": 16 << 20, "graceSeconds": 0}
FORKS = "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass"
BOMBS = {
    "fork bomb": (["python3", "-c", FORKS], {"pids": 256}, "cancelled"),
    "memory bomb": (["perl", "-e", "my @x; push @x, 'x' x (1 << 20) while 1"], {}, "oom"),
    "output flood": (["yes"], {}, "cancelled"),
    "CPU spin": ("while :; do :; done & while :; do :; done", {}, "cancelled"),
}


class Bomb(threading.Thread):
    """Runs one as often as it ends until it is told to stop; any other end than its own is fatal."""

    def __init__(self, pool, name):
        super().__init__(name=name)
        self.pool = pool
        command, extra, self.cause = BOMBS[name]
        self.body = json.dumps(LIMITS | extra | {"command": command})
        self.stopped = threading.Event()
        self.running = threading.Event()
        self.wrong = None
        self.job = None

    def run(self):
        while not self.stopped.is_set():
            self.job = self.pool.request("POST", "/v1/jobs", self.body)["id"]
            self.running.set()
            end = self.pool.request("GET", f"/v1/jobs/{self.job}?wait=true")
            if end["cause"] != self.cause and not (self.stopped.is_set() and end["cause"] == "cancelled"):
                self.wrong = f"the {self.name} ended {end['state']}, {end['cause']}"
                return

    def stop(self):
        self.stopped.set()
        with contextlib.suppress(SystemExit):  # it may have ended by itself
            self.pool.request("POST", f"/v1/jobs/{self.job}/cancel")
        self.join()
        if self.wrong:
            raise SystemExit(f"bench: {self.wrong}")


def rates(pool, jobs):
    """Jobs a second without and with the bombs beside them, the first as the better of before and after."""
    before = pool.run_batch(jobs)
    bombs = [Bomb(pool, name) for name in BOMBS]
    for bomb in bombs:
        bomb.start()
    for bomb in bombs:
        bomb.running.wait()
        pool.until_running(bomb.job)
    beside = pool.run_batch(jobs)
    for bomb in bombs:
        bomb.stop()
    return max(before, pool.run_batch(jobs)), beside
