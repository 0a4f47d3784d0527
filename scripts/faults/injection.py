"""Faults at a precise system call of a process that runs, by strace(1); the product has no code for it."""

import os
import signal
import subprocess
import time


class Injection:
    """Attaches to a process until the fault has come, at most for `seconds`."""

    def __init__(self, base, service, call, what, paths=(), when=1, threads=True):
        self.service, self.call = service, call
        self.log = f"{base}/strace-{service.name}.log"
        self.paths = list(paths)
        words = ["strace", "-q", "-e", f"trace={call}", "-e", f"inject={call}:{what}:when={when}", "-o", self.log]
        for path in self.paths:
            words += ["-P", path]
        if threads:
            words.append("-f")
        self.pid = service.pid
        self._words = words + ["-p", str(self.pid)]
        self._strace = None

    def attach(self):
        if os.path.exists(self.log):
            os.unlink(self.log)
        self._strace = subprocess.Popen(
            self._words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={"PATH": "/usr/bin:/bin"}, start_new_session=True)

    def await_kill(self, seconds, look):
        """Whether the process died of it, and what `look` saw last before."""
        end = time.monotonic() + seconds
        seen = look()
        while time.monotonic() < end and self._strace.poll() is None:
            found = look()
            if self.service.process.pid != self.pid or self.service.process.poll() is not None:
                break
            seen = found
            time.sleep(0.003)
        self.detach()
        return self._said("+++ killed by SIGKILL +++") and self._said(f"{self.call}("), seen

    def await_error(self, seconds):
        """Whether a call was answered with the error."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self._strace.poll() is None and not self._said("(INJECTED)"):
            time.sleep(0.01)
        return self._said("(INJECTED)")

    def count(self):
        return self.said().count("(INJECTED)")

    def said(self):
        """What strace(1) noted so far."""
        try:
            with open(self.log, errors="replace") as file:
                return file.read()
        except OSError:
            return ""

    def _said(self, words):
        return words in self.said()

    def detach(self):
        if self._strace.poll() is None:
            self._strace.terminate()
        self._strace.wait()
        # One that is ended while it tries out what the kernel can leaves a stopped child.
        try:
            os.killpg(self._strace.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
