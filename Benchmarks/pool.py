"""A pool of its own for the benchmark: coordinator and worker as separate processes over HTTP on loopback."""

import http.client
import json
import os
import socket
import subprocess
import tempfile
import time


class Pool:
    def __init__(self, build):
        self.sandpool = os.path.join(build, "sandpool")
        self.launcher = os.path.join(build, "sandpool-launcher")
        self.processes = {}

    @staticmethod
    def floor_rate(build, count, parallel, without=None):
        """Sandboxes a second of the launcher alone, looping over the same plan with `parallel` alive at once.

        `without` one of its mechanisms, where only its price is of interest.
        """
        with tempfile.TemporaryDirectory(prefix="sandpool-floor-") as directory:
            line = subprocess.run(
                [os.path.join(build, "sandpool-launcher"), "--floor", str(count), "--parallel", str(parallel),
                 "--data-dir", directory, *(["--without", without] if without else [])],
                check=True, capture_output=True, text=True,
            ).stdout.split()
            if "failed" in line:
                raise SystemExit(f"bench: {' '.join(line)}" + (f" without {without}" if without else ""))
            return float(line[line.index("rate") + 1])

    def __enter__(self):
        self.directory = tempfile.TemporaryDirectory(prefix="sandpool-bench-")
        os.chmod(self.directory.name, 0o711)  # the worker gives root up and has to reach its own directory
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        base = self.directory.name
        self._start("coordinator", "coordinator", "start", "--data-dir", f"{base}/coordinator",
                    "--listen", f"127.0.0.1:{self.port}")
        self._until(lambda: self._health() == 200, "the coordinator answers /health")
        with open(f"{base}/coordinator/admin.token", encoding="utf-8") as file:
            self.token = file.read().strip()
        self.environment = dict(os.environ, SANDPOOL_URL=f"http://127.0.0.1:{self.port}", SANDPOOL_TOKEN=self.token)
        worker_token = self.request("POST", "/v1/tokens", json.dumps({"name": "bench", "role": "worker"}))["secret"]
        with open(f"{base}/worker.token", "w", encoding="utf-8") as file:
            file.write(worker_token)
        self._start("worker", "worker", "start", "--coordinator", f"http://127.0.0.1:{self.port}",
                    "--data-dir", f"{base}/worker", "--token-file", f"{base}/worker.token")
        self._until(lambda: any(w["state"] == "connected" for w in self._get("/v1/workers")), "a worker is connected")
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes.values()):
            process.terminate()
            process.wait(timeout=30)
        self.directory.cleanup()

    def cli(self, *arguments):
        return [self.sandpool, *arguments]

    def run_batch(self, count):
        """Jobs a second from the submitting request to the last durable result, all of them checked."""
        spec = {"command": ["true"], "blockNetwork": True, "cpus": 0.1, "memoryBytes": 64 << 20, "diskBytes": 32 << 20}
        body = json.dumps([spec] * count)
        started = time.monotonic()
        jobs = self.request("POST", "/v1/jobs", body)
        # Jobs start in order, so the last few are the last to end.
        for job in jobs[-20:]:
            self._get(f"/v1/jobs/{job['id']}?wait=true")
        seconds = time.monotonic() - started
        for job in jobs:
            state = self._get(f"/v1/jobs/{job['id']}")["state"]
            if state != "succeeded":
                raise SystemExit(f"bench: {job['id']} ended {state}")
        return count / seconds

    def until_running(self, job):
        """Waits until a job has begun."""
        self._until(lambda: self._get(f"/v1/jobs/{job}")["state"] not in ("queued", "starting"), f"{job} runs")

    def run_shell(self, scripts):
        """Runs shell scripts, all at once where the host has room; the stdout of each."""
        spec = {"blockNetwork": True, "cpus": 0.1, "memoryBytes": 64 << 20, "diskBytes": 32 << 20}
        jobs = self.request("POST", "/v1/jobs", json.dumps([spec | {"command": script} for script in scripts]))
        states = [self._get(f"/v1/jobs/{job['id']}?wait=true") for job in jobs]
        for state in states:
            if state["state"] != "succeeded":
                raise SystemExit(f"bench: {state['id']} ended {state['state']}")
        if max(s["startedAt"] for s in states) >= min(s["finishedAt"] for s in states):
            raise SystemExit("bench: the sandboxes were not alive at once; is the host this busy?")
        return [self._send("GET", f"/v1/jobs/{state['id']}/output/stdout").decode() for state in states]

    def stream_rate(self, mebibytes):
        """MiB a second of a sandbox's stdout through the CLI into a pipe."""
        command = self.cli("run", "--block-network", "--", "head", "-c", str(mebibytes << 20), "/dev/zero")
        started = time.monotonic()
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=self.environment) as process:
            total = 0
            while chunk := process.stdout.read1(1 << 20):
                total += len(chunk)
        if process.returncode != 0 or total != mebibytes << 20:
            raise SystemExit(f"bench: streamed {total} bytes, exit code {process.returncode}")
        return mebibytes / (time.monotonic() - started)

    def resident_kib(self):
        """Resident memory of coordinator, worker and launcher in KiB."""
        found = {name: process.pid for name, process in self.processes.items()}
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{entry}/cmdline", "rb") as file:
                    arguments = file.read().split(b"\0")
            except OSError:
                continue
            ours = any(self.directory.name.encode() in argument for argument in arguments)
            if ours and arguments[0].endswith(b"sandpool-launcher"):
                found.setdefault("launcher", int(entry))
        result = {}
        for name, process_id in found.items():
            with open(f"/proc/{process_id}/status", encoding="utf-8") as file:
                for line in file:
                    if line.startswith("VmRSS:"):
                        result[name] = int(line.split()[1])
        return result

    def _start(self, name, *arguments):
        log = open(os.path.join(self.directory.name, f"{name}.log"), "wb")
        with log:
            self.processes[name] = subprocess.Popen(
                self.cli(*arguments), stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def _until(self, condition, what, seconds=30):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if condition():
                return
            time.sleep(0.02)
        logs = [open(os.path.join(self.directory.name, f"{n}.log"), encoding="utf-8").read() for n in self.processes]
        raise SystemExit(f"bench: waited {seconds} s in vain until {what}\n" + "\n".join(logs))

    def _health(self):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            connection.request("GET", "/health")
            return connection.getresponse().status
        except OSError:
            return None

    def _get(self, path):
        return self.request("GET", path)

    def request(self, method, path, body=None):
        return json.loads(self._send(method, path, body))

    def _send(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        text = response.read()
        connection.close()
        if response.status >= 300:
            raise SystemExit(f"bench: {method} {path}: {response.status} {text.decode(errors='replace')}")
        return text
