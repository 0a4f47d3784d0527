"""Faults of real processes: `faults --build DIR [--seed N] [--faults N] [--short] [PART…]`; as root.

The parts: campaign (kills and stops), restart (both services under 50 streaming sandboxes), disks (full ones), errors
(of system calls on files), power (the coordinator's disk as a power cut leaves it), network (cut, lossy, slow and
half-open connections), silence (a host cut off for longer than a job is waited for; not in the short form). Without
any, all of them.
"""

import argparse
import random
import signal
import sys
import time

import campaign
import images
import long_cut
import network
import restart
import storage


def run_campaign(options):
    faults, hits = (40, 1) if options.short else (1000, 5)
    return campaign.run(
        options.build, options.seed, f"{options.seed:x}c", options.faults or faults, hits, options.without,
        options.verbose)


def run_restart(options):
    return restart.run(options.build, options.seed, f"{options.seed:x}r")


def run_disks(options):
    return storage.run_full(options.build, options.seed, f"{options.seed:x}d", options.short)


def run_errors(options):
    return storage.run_errors(options.build, options.seed, f"{options.seed:x}e", options.short)


def run_power(options):
    return images.run(options.build, options.seed, f"{options.seed:x}p", 8 if options.short else 200)


def run_network(options):
    return network.run(options.build, options.seed, f"{options.seed:x}n", options.short)


def run_silence(options):
    return long_cut.run(options.build, options.seed, f"{options.seed:x}s")


PARTS = {
    "campaign": run_campaign, "restart": run_restart, "disks": run_disks, "errors": run_errors, "power": run_power,
    "network": run_network, "silence": run_silence,
}


def main():
    parser = argparse.ArgumentParser(prog="faults", description=__doc__)
    parser.add_argument("--build", required=True, help="directory of the built programs")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--faults", type=int, help="kills and stops of the campaign (default 1000)")
    parser.add_argument("--short", action="store_true", help="a few minutes in all")
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--without", action="append", default=[], metavar="KIND", help="leaves a kind of jobs out")
    parser.add_argument("-v", "--verbose", action="store_true", help="a line for each fault")
    options = parser.parse_args()
    # An end by the outside still takes everything down that was started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    failed = 0
    usual = [part for part in PARTS if part != "silence" or not options.short]
    for part in options.parts or usual:
        print(f"{part}, seed {options.seed}", flush=True)
        began = time.monotonic()
        problems = PARTS[part](options)
        for problem in problems[:40]:
            print(f"FAILED: {problem}")
        failed += bool(problems)
        print(f"{part}: {len(problems)} problems in {time.monotonic() - began:.0f} s", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
