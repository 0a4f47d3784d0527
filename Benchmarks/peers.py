"""The container tools that people would use instead, each doing the nearest to what Sandpool does."""

import contextlib
import json
import os
import shutil
import subprocess
import tempfile


class Bwrap:
    """bubblewrap with every namespace, the host's /usr read-only, and a private /proc /dev /tmp."""

    def __init__(self, path):
        self.path = path

    @staticmethod
    def find():
        path = shutil.which("bwrap")
        return Bwrap(path) if path else None

    def command(self):
        links = [w for name in ("bin", "sbin", "lib", "lib64") for w in ("--symlink", f"usr/{name}", f"/{name}")]
        return [
            self.path, "--unshare-all", "--die-with-parent", "--ro-bind", "/usr", "/usr", *links,
            "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "true",
        ]


class Runc:
    """runc with its default specification over the host's /usr."""

    def __init__(self, path, bundle):
        self.path = path
        self.bundle_path = bundle

    @staticmethod
    @contextlib.contextmanager
    def bundle():
        path = shutil.which("runc")
        if not path:
            yield None
            return
        with tempfile.TemporaryDirectory(prefix="sandpool-bench-") as bundle:
            rootfs = os.path.join(bundle, "rootfs")
            for name in ("usr", "proc", "dev", "sys", "tmp", "etc"):
                os.makedirs(os.path.join(rootfs, name))
            for name in ("bin", "sbin", "lib", "lib64"):
                os.symlink(f"usr/{name}", os.path.join(rootfs, name))
            subprocess.run([path, "spec"], cwd=bundle, check=True)
            with open(os.path.join(bundle, "config.json"), encoding="utf-8") as file:
                config = json.load(file)
            config["process"]["terminal"] = False
            config["process"]["args"] = ["true"]
            bind = {"destination": "/usr", "type": "bind", "source": "/usr", "options": ["bind", "ro"]}
            config["mounts"] = [m for m in config["mounts"] if m["type"] != "cgroup"] + [bind]
            with open(os.path.join(bundle, "config.json"), "w", encoding="utf-8") as file:
                json.dump(config, file)
            yield Runc(path, bundle)

    def command(self):
        return lambda index: [self.path, "run", "--bundle", self.bundle_path, f"sandpool-bench-{os.getpid()}-{index}"]


class Docker:
    """docker run of the smallest image that is there, where a daemon answers."""

    def __init__(self, path, image):
        self.path = path
        self.image = image

    @staticmethod
    def find():
        path = shutil.which("docker")
        if not path or subprocess.run([path, "info"], capture_output=True, check=False).returncode != 0:
            return None
        images = subprocess.run(
            [path, "images", "--format", "{{.Repository}}:{{.Tag}}"], capture_output=True, text=True, check=True
        ).stdout.split()
        wanted = [i for i in images if i.startswith(("busybox:", "alpine:", "debian:"))]
        return Docker(path, wanted[0]) if wanted else None

    def command(self):
        return [self.path, "run", "--rm", "--network", "none", self.image, "true"]
