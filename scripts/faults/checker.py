"""What must be true of a job that has ended, whatever was killed while it ran."""

import datetime
import re

FINAL = {"succeeded", "failed", "timed_out", "cancelled", "errored"}
#: Seconds that two clocks' readings of one moment may be apart: the pool's times are in milliseconds.
SLACK = 1.5
#: The attempts of a job that lost this many of them while its command ran are enough (Docs/decisions/0003).
POISON = 2
#: Attempts of a job whose command was never started.
SETUP_TRIES = 3


def judge(entry, output, runs, pool):
    """How the job ended, in a word, and everything that is wrong with it."""
    job, plan = entry.job, entry.plan
    problems = [*overlaps(plan, runs), *attempt_problems(job, runs, pool)]
    for attempt, shown in entry.shown.items():
        if attempt == job["attempts"][-1]["id"] and not output["stdout"].startswith(shown):
            problems.append(f"{len(shown)} bytes of stdout were shown of {attempt}, and they are not there any more")
    losses = [attempt for attempt in job["attempts"] if cause(attempt) == "worker_lost"]
    if job.get("cause") == "worker_lost":
        enough = POISON if plan.rerun == "safe" else 1
        if len(losses) < enough:
            problems.append(f"it ended worker_lost after {len(losses)} losses, rerun {plan.rerun}")
        problems += [f"{stream} of a lost job is not a beginning of what its command writes"
                     for stream in output if not getattr(plan.expected, stream).startswith(output[stream])]
        return "worker_lost", problems
    if job.get("cause") == "setup_failed":
        if len(job["attempts"]) < SETUP_TRIES:
            problems.append(f"it ended setup_failed after {len(job['attempts'])} attempts: {job.get('message')}")
        return "setup_failed", problems
    lost = lost_output(job)
    # Only where reads of it fail, and twice, does output end before its time.
    if lost and not launcher_died(job["attempts"][-1], pool) and "could not be read" not in job["message"]:
        problems.append(f"output was lost, and its launcher lived: {job['message']}")
    problems += differences(job, plan, output, lost)
    if runs and plan.kind not in ("cancelled", "late"):
        status = runs[-1].status
        want = plan.expected.signal if plan.expected.signal else plan.expected.exitCode << 8
        # A core dump is a bit beside the signal.
        if status is not None and status & ~0x80 != want:
            problems.append(f"its command ended with wait status {status}, and it reads {want}")
    return "output lost" if lost else "exact", problems


def lost_output(job):
    """How many bytes of each stream its message says were lost: with a launcher that is killed, and its worker too
    before it could hand them on, a result outlives its output."""
    text = job.get("message") or ""
    return {stream: int(count) for count, stream in re.findall(r"(\d+) bytes of (stdout|stderr)", text)
            if "were lost when the host or its launcher went down" in text}


def differences(job, plan, output, lost=()):
    found = []
    expected = plan.expected
    for key in ("state", "cause", "returnCode"):
        if job.get(key) != getattr(expected, key):
            found.append(f"{key} is {job.get(key)}, not {getattr(expected, key)} ({job.get('message')})")
    if plan.kind == "cancelled":
        return found
    for key in ("exitCode", "signal"):
        if job.get(key) != getattr(expected, key):
            found.append(f"{key} is {job.get(key)}, not {getattr(expected, key)}")
    for stream, data in output.items():
        want = getattr(expected, stream)
        if stream in lost:
            want = want[:len(want) - lost[stream]]
        if data != want:
            at = next((n for n, (a, b) in enumerate(zip(data, want)) if a != b), min(len(data), len(want)))
            found.append(f"{stream} has {len(data)} bytes, not {len(want)}, and differs at byte {at}")
    return found


def overlaps(plan, runs):
    """What runs twice at once; and what runs twice at all, where a rerun is not safe."""
    found = []
    ordered = sorted(runs, key=lambda run: run.began)
    for before, after in zip(ordered, ordered[1:]):
        if before.ended is None or before.ended > after.began:
            found.append(f"its command ran twice at once, as {before.pid} and {after.pid}")
    if plan.rerun == "never" and len(runs) > 1:
        found.append(f"its command ran {len(runs)} times, and a rerun is not safe")
    return found


def attempt_problems(job, runs, pool):
    """At most one result; and no attempt lost but by the end of its launcher."""
    found = []
    attempts = job["attempts"]
    epochs = [attempt["epoch"] for attempt in attempts]
    if epochs != sorted(set(epochs)):
        found.append(f"epochs {epochs} do not grow")
    for attempt in attempts:
        if attempt["state"] not in ("finished", "lost", "superseded"):
            found.append(f"attempt {attempt['id']} of a finished job is {attempt['state']}")
    results = [attempt for attempt in attempts
               if attempt["state"] == "finished" and cause(attempt) not in (
                   "worker_lost", "setup_failed", "fetch_failed", "preempted")]
    if len(results) > 1:
        found.append(f"{len(results)} results are recorded")
    lost = [attempt for attempt in attempts if cause(attempt) == "worker_lost"]
    # A worker that dies with a start on the tip of its tongue cannot tell whether the command ran. Nobody saw it run.
    unsent = sum(attempt["state"] == "finished" and worker_died(attempt, pool) for attempt in lost) \
        if len(runs) < len(attempts) else 0
    for attempt in lost:
        if launcher_died(attempt, pool) or pool.is_cut_long and attempt["state"] == "superseded":
            continue
        if not unsent:
            found.append(f"attempt {attempt['id']} was lost, and its launcher lived: {attempt.get('outcome')}")
        unsent = max(0, unsent - 1)
    return found


def cause(attempt):
    return (attempt.get("outcome") or {}).get("cause")


def launcher_died(attempt, pool):
    """Whether the launcher of the attempt's worker was killed while there was an attempt."""
    return was_killed(pool.launchers[pool.worker_index(attempt["worker"])], attempt)


def worker_died(attempt, pool):
    return was_killed(pool.workers[pool.worker_index(attempt["worker"])], attempt)


def was_killed(service, attempt):
    began, ended = seconds(attempt["createdAt"]), seconds(attempt["finishedAt"])
    return any(began - SLACK <= kill <= ended + SLACK for kill in service.kills)


def seconds(text):
    """An RFC 3339 moment in UTC as seconds since 1970."""
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def command_problem(code, stdout, stderr, job, plan):
    """What is wrong with the end of `sandpool run`; `job` is what became of its job, where there is one."""
    said = stderr.decode(errors="replace").strip()[-300:]
    if job is None:
        return None if code == 125 and not stdout else f"run ended with {code} and there is no job: {said}"
    if code == 125 and job.get("cause") in ("worker_lost", "setup_failed"):
        return None if plan.expected.stdout.startswith(stdout) else "run showed what its command never wrote"
    if code != plan.expected.returnCode:
        return f"run ended with {code}: {said}; the job is {job['state']}, {job.get('cause')}"
    if stdout != plan.expected.stdout:
        return f"run showed {len(stdout)} bytes, not {len(plan.expected.stdout)}"
    return None
