"""Writes the probe table of Docs/security.md between its two marks."""

import argparse
import json
import os
import platform
import shutil
import subprocess
import tempfile

import peers

BEGIN = "<!-- Written by scripts/probe-table; do not edit. -->"
END = "<!-- End of the table. -->"
TITLES = {
    "mounts": "Mounts, namespaces and devices", "kernel": "Kernel interfaces", "sockets": "Sockets and the network",
    "processes": "Processes, privileges and descriptors", "exhaustion": "Exhaustion",
}
WORDS = {"held": "held", "through": "**through**", "not_run": "not run", "own": "is the command", None: "–"}


def sandpool(build):
    """What each probe came to, over every user and network that it was tried with."""
    with tempfile.TemporaryDirectory(prefix="sandpool-probe-table-") as data:
        # In a net namespace of its own: an open network makes things on its host.
        words = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
        words += [os.path.join(build, "sandpool"), "worker", "verify", "--local", "--exhaust", "--json"]
        done = subprocess.run(
            words, capture_output=True, text=True, env={**os.environ, "SANDPOOL_DATA_DIR": data}, check=False)
    if not done.stdout.startswith("{"):
        raise SystemExit(done.stderr)
    found = {}
    for run in json.loads(done.stdout)["runs"]:
        for finding in run["findings"]:
            found.setdefault(finding["probe"], set()).add(finding["result"])
    # The worst of them; not run only where it never was.
    return {
        name: next(word for word in ("through", "held", "not_run") if word in results)
        for name, results in found.items()
    }


def elsewhere(path):
    """What the virtual machine's older kernel, which has more to attack, showed of each probe."""
    with open(path, encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file]
    return {name: found for name, _, found in rows}


def proof(row):
    if row["shown"] == "shown":
        return row["protections"]
    if row["shown"] == "elsewhere":
        return f"{row['protections']} (Linux 6.1)"
    return f"not shown: {row['shown']}"


def table(shown, columns):
    tools = {name: results for name, results in columns.items() if results is not None}
    lines = []
    for topic, title in TITLES.items():
        rows = [row for row in shown if row["topic"] == topic]
        lines += [f"### {title}", "", f"| attack | to | {' | '.join(tools)} | gets through without |"]
        lines.append("|---|---|" + "---|" * len(tools) + "---|")
        for row in rows:
            cells = " | ".join(WORDS[results.get(row["probe"])] for results in tools.values())
            lines.append(f"| `{row['probe']}` | {row['about']} | {cells} | {proof(row)} |")
        lines.append("")
    return lines


def version(tool):
    if not shutil.which(tool):
        return f"{tool} not installed"
    said = subprocess.run([tool, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
    return said.replace("bubblewrap", "bwrap").replace("runc version", "runc")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True, help="directory with sandpool and sandpool-probe")
    parser.add_argument("--shown", required=True, help="what the suite ProbeControlTests wrote")
    parser.add_argument("--elsewhere", required=True, help="what the checks of the virtual machine expect")
    parser.add_argument("--page", required=True)
    options = parser.parse_args()
    with open(options.shown, encoding="utf-8") as file:
        shown = json.load(file)
    quick = [row["probe"] for row in shown if row["topic"] != "exhaustion"]
    with tempfile.TemporaryDirectory(prefix="sandpool-probe-table-") as directory:
        os.chmod(directory, 0o755)
        shutil.copy(os.path.join(options.build, "sandpool-probe"), directory)
        columns = {
            "Sandpool": sandpool(options.build),
            "bwrap": peers.bwrap(quick, directory),
            "runc": peers.runc(quick, directory),
        }
    older = elsewhere(options.elsewhere)
    for row in shown:
        if row["shown"] == "shown":
            continue
        # What has never been seen to work shows nothing by failing.
        for results in columns.values():
            if results and results.get(row["probe"]) == "held":
                results[row["probe"]] = "not_run"
        found = older.get(row["probe"], "")
        if found.startswith("through"):
            # The same checks have the worker attack its own sandboxes there.
            row["shown"] = "elsewhere"
            columns["Sandpool"][row["probe"]] = "held"
        elif found:
            row["shown"] += f"; on Linux 6.1: {found.partition(' ')[2]}"
    counts = []
    for name, results in columns.items():
        if results is not None:
            held = sum(result == "held" for result in results.values())
            through = sum(result == "through" for result in results.values())
            counts.append(f"{name}: {held} held, {through} through.")
    proven = sum(row["shown"] == "shown" for row in shown)
    kernel = ".".join(platform.release().split(".")[:2])
    host = f"Linux {kernel}, {version('bwrap')}, {version('runc')}."
    older = sum(row["shown"] == "elsewhere" for row in shown)
    proven = (
        f"Of {len(shown)} attacks {proven} were shown to get through without what protects from them, and {older} more "
        "on Debian 12's Linux 6.1, which has what this host lacks.")
    lines = [BEGIN, "", f"{host} {' '.join(counts)} {proven}", "", *table(shown, columns), END]
    with open(options.page, encoding="utf-8") as file:
        page = file.read()
    before, rest = page.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    with open(options.page, "w", encoding="utf-8") as file:
        file.write(before + "\n".join(lines) + after)


if __name__ == "__main__":
    main()
