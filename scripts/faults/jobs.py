"""The mixed jobs: what is submitted, and how it must end, to the byte."""

import dataclasses
import signal

MEBIBYTE = 1 << 20


@dataclasses.dataclass
class Expected:
    """How a job must end where nothing but the coordinator and workers came and went."""

    state: str
    cause: str
    returnCode: int
    exitCode: int | None = None
    signal: int | None = None
    stdout: bytes = b""
    stderr: bytes = b""


@dataclasses.dataclass
class Plan:
    """One job. `stdin` is what a job of the kind `stdin` reads; such a job is run by the command line."""

    index: int
    kind: str
    marker: str
    script: str
    expected: Expected
    rerun: str
    timeout: float = 300
    stdin: bytes | None = None
    #: The only host that it may run on, if one.
    host: int | None = None

    def spec(self):
        """Each job's last word is its marker: by it the command is known among the host's processes."""
        return {
            "command": ["sh", "-c", self.script, self.marker], "name": self.marker, "idempotencyKey": self.marker,
            "blockNetwork": True, "cpus": 0.1, "memoryBytes": 64 * MEBIBYTE, "diskBytes": 16 * MEBIBYTE, "pids": 64,
            "timeoutSeconds": self.timeout, "graceSeconds": 1, "rerun": self.rerun,
            "require": {} if self.host is None else {"host": f"{self.host}"},
        }

    def options(self):
        """The same for `sandpool run`, which reads standard input."""
        words = ["-i", "--block-network", "--name", self.marker, "--key", self.marker, "--cpus", "0.1", "--memory",
                 "64MiB", "--disk", "16MiB"]
        if self.host is not None:
            words += ["--require", f"host={self.host}"]
        return [*words, "--", "sh", "-c", self.script, self.marker]


def lines(count):
    """What `seq 1 count` writes: a byte that is missing, doubled or misplaced shows."""
    return b"".join(b"%d\n" % number for number in range(1, count + 1))


def ok(index, draw):
    pause = draw.choice((0.1, 0.3, 1))
    return (f"sleep {pause}; echo out {index}; echo err {index} >&2",
            Expected("succeeded", "exited", 0, 0, stdout=b"out %d\n" % index, stderr=b"err %d\n" % index))


def failing(index, draw):
    code = 1 + index % 255
    return f"echo soon; sleep 0.4; exit {code}", Expected("failed", "exited", code, code, stdout=b"soon\n")


def killed(index, draw):
    number = draw.choice((signal.SIGKILL, signal.SIGSEGV, signal.SIGUSR1))
    return (f"sleep 0.3; kill -{int(number)} $$",
            Expected("failed", "signaled", 128 + number, signal=int(number)))


def late(index, draw):
    return "echo before; exec sleep 600", Expected(
        "timed_out", "timeout", 124, signal=int(signal.SIGTERM), stdout=b"before\n")


def cancelled(index, draw):
    return "exec sleep 3600", Expected("cancelled", "cancelled", 137)


def large(index, draw):
    count = draw.choice((3_000, 60_000, 400_000))
    return (f"seq 1 {count}; sleep 0.2; seq 1 100 >&2; exit 3",
            Expected("failed", "exited", 3, 3, stdout=lines(count), stderr=lines(100)))


def streaming(index, draw):
    script = "i=1; while [ $i -le 40 ]; do seq 1 50; echo $i >&2; i=$((i+1)); sleep 0.05; done; exit 4"
    return script, Expected("failed", "exited", 4, 4, stdout=lines(50) * 40, stderr=lines(40))


def reading(index, draw):
    return "sleep 0.3; wc -c; cat; exit 5", Expected("failed", "exited", 5, 5, stdout=b"0\n")


KINDS = {
    "ok": ok, "failing": failing, "killed": killed, "late": late, "cancelled": cancelled, "large": large,
    "streaming": streaming, "stdin": reading,
}
#: The stdin kind runs a process of its own here, so there are fewer of it.
WEIGHTS = {"ok": 3, "failing": 2, "killed": 2, "late": 2, "cancelled": 2, "large": 3, "streaming": 4, "stdin": 1}


def make(index, run, draw, kind=None):
    """The `index`-th job of a run; `draw` is the run's random.Random."""
    kind = kind or draw.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
    script, expected = KINDS[kind](index, draw)
    plan = Plan(index, kind, f"fault-{run}-{index}", script, expected, draw.choice(("safe", "never")))
    # The scheduler fills one worker first; a fault on an idle host would show nothing.
    plan.host = draw.choice((0, 0, 0, 0, 1, 1, 1, 1, None))
    if kind == "late":
        plan.timeout = draw.choice((1, 2))
    if kind == "stdin":
        plan.script = "sleep 0.3; cat; exit 5"
        plan.stdin = lines(draw.choice((10, 50_000)))
        plan.expected.stdout = plan.stdin
        plan.rerun = "never"
    return plan
