"""The container tools that people would use instead, as they come, each attacked by the probe program."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import tempfile

LINKS = ("bin", "sbin", "lib", "lib64")
PLACE = "/opt/sandpool-probe"


@contextlib.contextmanager
def bait():
    """Listens on this host where no sandbox may get to; yields the probe program's options for it."""
    name = f"sandpool-probe-table-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as unix, socket.socket(socket.AF_INET) as internet:
        unix.bind(f"\0{name}")
        internet.bind(("127.0.0.1", 0))
        for listener in (unix, internet):
            listener.listen(64)
        yield ["--host-socket", name, "--endpoint", f"127.0.0.1:{internet.getsockname()[1]}"]


def one_by_one(names, command, options):
    """Runs each attack in a sandbox of its own: one that succeeds may spoil the sandbox for the next."""
    found = {}
    for name in names:
        words = command([f"{PLACE}/sandpool-probe", *options, "--only", name])
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, text=True, env={"PATH": os.defpath}, check=False,
            timeout=60)
        lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
        found[name] = json.loads(lines[0])["result"] if lines else "not_run"
    return found


def bwrap(names, directory):
    """bubblewrap by an ordinary user, with every namespace, the host's /usr read-only, a private /proc /dev /tmp."""
    path = shutil.which("bwrap")
    if not path:
        return None
    links = [word for name in LINKS for word in ("--symlink", f"usr/{name}", f"/{name}")]
    words = [
        "setpriv", "--reuid=1000", "--regid=1000", "--clear-groups", path, "--unshare-all", "--new-session",
        "--die-with-parent", "--clearenv", "--ro-bind", "/usr", "/usr", *links, "--proc", "/proc", "--dev", "/dev",
        "--tmpfs", "/tmp", "--ro-bind", directory, PLACE,
    ]
    with bait() as options:
        return one_by_one(names, lambda probe: words + probe, options)


def runc(names, directory):
    """runc with its default specification over the host's /usr, as root."""
    path = shutil.which("runc")
    if not path:
        return None
    with tempfile.TemporaryDirectory(prefix="sandpool-probe-table-") as bundle, bait() as options:
        rootfs = os.path.join(bundle, "rootfs")
        for name in ("usr", "proc", "dev", "sys", "tmp", "etc", "opt/sandpool-probe"):
            os.makedirs(os.path.join(rootfs, name))
        for name in LINKS:
            os.symlink(f"usr/{name}", os.path.join(rootfs, name))
        subprocess.run([path, "spec"], cwd=bundle, check=True)
        file = os.path.join(bundle, "config.json")
        with open(file, encoding="utf-8") as text:
            config = json.load(text)
        config["process"]["terminal"] = False
        config["mounts"] += [
            {"destination": "/usr", "type": "bind", "source": "/usr", "options": ["bind", "ro"]},
            {"destination": PLACE, "type": "bind", "source": directory, "options": ["bind", "ro"]},
            {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs"},
        ]
        count = 0

        def command(probe):
            nonlocal count
            count += 1
            config["process"]["args"] = probe
            with open(file, "w", encoding="utf-8") as text:
                json.dump(config, text)
            return [path, "run", "--bundle", bundle, f"sandpool-probe-table-{os.getpid()}-{count}"]

        found = one_by_one(names, command, options)
        # Its pid 1 is the command, which may do to itself as it likes.
        return {name: "own" if name.startswith(("first-", "forged-")) else result for name, result in found.items()}
