"""Network namespaces joined to this one by a veth pair each, as hosts on a network, and what goes wrong on the way."""

import os
import subprocess

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


def run(*words, check=True):
    done = subprocess.run(words, env={"PATH": PATH}, capture_output=True, text=True)
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


class Hosts:
    """`count` hosts. Names and addresses carry this process's id, so that two runs do not meet."""

    def __init__(self, count):
        self.names = [f"spf{os.getpid()}-{index}" for index in range(count)]
        self.ports = [f"spf{os.getpid()}{chr(97 + index)}" for index in range(count)]
        self.network = f"10.{100 + os.getpid() // 64 % 100}.{os.getpid() % 64}"
        for index, name in enumerate(self.names):
            port = self.ports[index]
            run("ip", "netns", "add", name)
            run("ip", "-n", name, "link", "set", "lo", "up")
            run("ip", "link", "add", port, "type", "veth", "peer", "name", "uplink", "netns", name)
            run("ip", "addr", "add", f"{self.gateway(index)}/30", "dev", port)
            run("ip", "link", "set", port, "up")
            run("ip", "-n", name, "addr", "add", f"{self.network}.{index * 4 + 2}/30", "dev", "uplink")
            run("ip", "-n", name, "link", "set", "uplink", "up")

    def gateway(self, index):
        """The coordinator's address as host number `index` sees it."""
        return f"{self.network}.{index * 4 + 1}"

    def enter(self, index):
        """Words before a command that runs on a host. Not `ip netns exec`, which would hide the cgroups."""
        return ["/usr/bin/nsenter", f"--net=/run/netns/{self.names[index]}"]

    def rules(self, index, lines):
        """Puts packet rules, of nft(8), in the place of those that a host has had from here."""
        text = "table inet faults {}\ndelete table inet faults\n"
        if lines:
            text += "table inet faults {\n" + "\n".join(lines) + "\n}\n"
        subprocess.run(
            self.enter(index) + ["nft", "-f", "-"], input=text, text=True, check=True, env={"PATH": PATH},
            capture_output=True)

    def remove(self):
        for name in self.names:
            run("ip", "netns", "delete", name, check=False)
        for port in self.ports:
            run("ip", "link", "delete", port, check=False)
