"""One long-running process of the pool, kept alive the way a service manager would."""

import os
import signal
import subprocess
import threading
import time

RESTART_DELAY = 0.2
#: Ends that nobody sent, and that a healthy process never has: a trap or a fault of its own.
CRASHES = {signal.SIGILL, signal.SIGTRAP, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGSEGV}


class Service:
    """A process by name. `run` starts it and starts it again when it ends, until `stop`."""

    def __init__(self, name, command, log, environment=None):
        self.name, self.command, self.log = name, command, log
        self.environment = environment or {}
        self.process = None
        self.starts = 0
        #: Times of CLOCK_REALTIME at which it was ended by force from here.
        self.kills = []
        self.crashes = []
        self._lock = threading.Lock()
        self._wanted = False
        self._thread = None

    def start(self):
        self._wanted = True
        self._launch()
        self._thread = threading.Thread(target=self._keep, name=self.name, daemon=True)
        self._thread.start()

    def _launch(self):
        with self._lock:
            if not self._wanted:
                return
            with open(self.log, "ab") as log:
                self.process = subprocess.Popen(
                    self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **self.environment})
            self.starts += 1

    def _keep(self):
        while self._wanted:
            code = self.process.wait()
            if -code in CRASHES:
                self.crashes.append(f"{self.name} ended by signal {-code}; see {self.log}")
            if self._wanted:
                time.sleep(RESTART_DELAY)
                self._launch()

    @property
    def pid(self):
        return self.process.pid

    @property
    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, number):
        """Whether there was a process to take it."""
        with self._lock:
            if not self.is_running:
                return False
            if number == signal.SIGKILL:
                self.note_kill()
            self.process.send_signal(number)
            return True

    def note_kill(self):
        self.kills.append(time.time())

    def stop(self, patience=30):
        """Ends it in order, and for good; False where it had to be ended by force."""
        self._wanted = False
        with self._lock:
            if not self.is_running:
                return True
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(patience)
            return True
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return False

    def restart(self, patience=30):
        """As `systemctl restart` does: SIGTERM, the end, and the next one at once."""
        process, starts = self.process, self.starts
        process.send_signal(signal.SIGTERM)
        process.wait(patience)
        while self.starts == starts:
            time.sleep(0.01)

    def state(self):
        """The letter of proc_pid_stat(5), or none."""
        try:
            with open(f"/proc/{self.pid}/stat") as file:
                return file.read().rpartition(")")[2].split()[0]
        except OSError:
            return None


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []


def descriptors(pid):
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0
