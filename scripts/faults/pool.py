"""A coordinator, and workers with their launchers on hosts of their own, as real processes."""

import json
import os
import signal
import socket
import subprocess
import tempfile
import time

from client import GONE, APIError, Client
from hosts import Hosts
from service import Service

#: The services' own users: nobody's, so that a file they must not touch is refused.
COORDINATOR_USER, WORKER_USER = 65533, 65534


class Pool:
    def __init__(self, build, workers=2, cpus=4, config=None, door=None):
        """`config` is the coordinator's configuration file; workers connect to the port `door`, if one is given."""
        self.build = os.path.abspath(build)
        self.base = tempfile.mkdtemp(prefix="sandpool-faults-")
        os.chmod(self.base, 0o755)
        self.capacity = ["--cpus", f"{cpus}", "--memory", "8GiB", "--disk", "4GiB"]
        self.hosts = Hosts(workers)
        self.port = free_port()
        self.door = door or self.port
        #: Whether a worker is kept silent for so long that its attempts may be replaced.
        self.is_cut_long = False
        self.sandpool = f"{self.build}/sandpool"
        self.config = f"{self.base}/config.json"
        with open(self.config, "w") as file:
            json.dump(config or {}, file)
        self.coordinator = self._coordinator()
        self.launchers = [self._launcher(index) for index in range(workers)]
        self.workers = []
        self.client = None

    def place(self, name, user=None):
        """A directory of the pool's, made where it is not there."""
        path = f"{self.base}/{name}"
        os.makedirs(path, exist_ok=True)
        if user is not None:
            os.chown(path, user, user)
        return path

    def start(self):
        self.coordinator.start()
        token = f"{self.base}/coordinator/admin.token"
        self.wait(lambda: os.path.exists(token), "the coordinator's token")
        with open(token) as file:
            self.client = Client("127.0.0.1", self.port, file.read().strip())
        self.wait(self.client.is_there, "the coordinator")
        for index, launcher in enumerate(self.launchers):
            launcher.start()
            secret = self.client.post("/v1/tokens", {"name": f"worker{index}", "role": "worker"})["secret"]
            self.wait(lambda: os.path.exists(self.socket(index)), "the launcher")
            self.workers.append(self._worker(index, secret))
            self.workers[index].start()
        self.wait(lambda: self.connected() == len(self.workers), "the workers")
        self._indices = {worker["id"]: int(worker["name"][len("worker"):]) for worker in self.client.get("/v1/workers")}

    def worker_index(self, identifier):
        """Which of the workers has an id."""
        return self._indices[identifier]

    def connected(self):
        try:
            return sum(worker["state"] == "connected" for worker in self.client.get("/v1/workers"))
        except (*GONE, APIError):
            return 0

    def wait(self, condition, what, seconds=30):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise RuntimeError(f"{what} did not come in {seconds} s; see {self.base}")
            time.sleep(0.02)

    @property
    def services(self):
        return [self.coordinator, *self.workers, *self.launchers]

    def socket(self, index):
        return f"{self.base}/launcher{index}.sock"

    def check(self):
        """What `coordinator check` finds wrong with the coordinator's data, which may be in use."""
        done = subprocess.run(
            [self.sandpool, "coordinator", "check", "--data-dir", f"{self.base}/coordinator"],
            capture_output=True, text=True, timeout=120)
        found = done.stdout + ("" if done.returncode in (0, 1) else done.stderr)
        return [f"coordinator check: {line}" for line in found.splitlines()]

    def environment(self):
        """What the command line needs to find the pool."""
        return {"SANDPOOL_URL": f"http://127.0.0.1:{self.port}", "SANDPOOL_TOKEN": self.client.token}

    def _coordinator(self):
        data = self.place("coordinator", COORDINATOR_USER)
        return Service(
            "coordinator",
            as_user(COORDINATOR_USER) + [
                self.sandpool, "coordinator", "start", "--data-dir", data, "--listen", f"0.0.0.0:{self.port}",
                "--insecure-http", "--config", self.config,
            ], f"{self.base}/coordinator.log")

    def _launcher(self, index):
        return Service(
            f"launcher{index}",
            self.hosts.enter(index) + [
                f"{self.build}/sandpool-launcher", "--data-dir", self.place(f"launcher{index}"), "--socket",
                self.socket(index), "--peer-uid", f"{WORKER_USER}",
            ], f"{self.base}/launcher{index}.log")

    def _worker(self, index, secret):
        data = self.place(f"worker{index}", WORKER_USER)
        return Service(
            f"worker{index}",
            self.hosts.enter(index) + as_user(WORKER_USER) + [
                self.sandpool, "worker", "start", "--coordinator", f"http://{self.hosts.gateway(index)}:{self.door}",
                "--data-dir", data, "--launcher-socket", self.socket(index), "--name", f"worker{index}",
                "--label", f"host={index}", *self.capacity,
            ], f"{self.base}/worker{index}.log", {"SANDPOOL_TOKEN": secret})

    def revive(self):
        """Lets everything run that was stopped."""
        for service in self.services:
            service.signal(signal.SIGCONT)

    def crashes(self):
        """What ended by a fault of its own since this was asked last."""
        found = []
        for service in self.services:
            found += service.crashes
            service.crashes = []
        return found

    def stop(self):
        """Ends everything in order; what did not end so."""
        forced = [service.name for service in [*self.workers, *self.launchers, self.coordinator] if not service.stop()]
        return [f"{name} did not end within 30 s of SIGTERM" for name in forced]

    def remove(self):
        self.hosts.remove()
        subprocess.run(["rm", "-rf", "--one-file-system", self.base], check=False)


def as_user(number):
    return ["/usr/bin/setpriv", f"--reuid={number}", f"--regid={number}", "--clear-groups", "--bounding-set=-all",
            "--inh-caps=-all"]


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
