"""Measures Sandpool beside what people would use instead, and prints ratios of one run.

Every row of the table is taken on the same machine within the same few minutes, with Sandpool as separate
processes over HTTP. Absolute figures of one machine say little; the ratios are what counts.
"""

import argparse
import os
import sys

import evidence
import mechanisms
import neighbours
from measure import Table, loop_rate, median_ms
from peers import Bwrap, Docker, Runc
from pool import Pool


def throughput(table, build, jobs):
    """`true` jobs a second: the floor, the peers at their best parallelism, and the pool."""
    floor, parallel = max((Pool.floor_rate(build, jobs, p), p) for p in (2, 3, 4))
    table.row(f"kernel floor: launcher alone, best of 2 3 4 alive ({parallel})", f"{floor:.0f}/s", "1.00 x floor")

    bwrap = Bwrap.find()
    best = 0.0
    if bwrap:
        best, parallel = max((loop_rate(bwrap.command(), jobs, p), p) for p in (1, 2, 4))
        table.row(f"bwrap loop, best of -P 1 2 4 (-P {parallel})", f"{best:.0f}/s", f"{best / floor:.2f} x floor")
    with Runc.bundle() as runc:
        if runc:
            rate = loop_rate(runc.command(), max(20, jobs // 20), 2)
            table.row("runc run loop, -P 2", f"{rate:.0f}/s", f"{rate / floor:.2f} x floor")
    docker = Docker.find()
    if docker:
        rate = loop_rate(docker.command(), 20, 2)
        table.row("docker run loop, -P 2", f"{rate:.0f}/s", f"{rate / floor:.2f} x floor")
    else:
        table.note("docker run: no Docker daemon on this host, row left out")

    with Pool(build) as pool:
        pool.run_batch(50)  # warms the pools of namespaces and the page cache
        rate = pool.run_batch(jobs)
        ratios = f"{rate / floor:.2f} x floor" + (f", {rate / best:.2f} x bwrap" if best else "")
        table.row(f"sandpool: {jobs} true jobs, submit to durable result", f"{rate:.0f}/s", ratios)
        for name, kib in pool.resident_kib().items():
            table.row(f"resident memory after {jobs} jobs: {name}", f"{kib / 1024:.1f} MiB", "")


def latency(table, build, runs):
    """Whole-process latency of one command, interleaved so that drift hits both alike."""
    bwrap = Bwrap.find()
    with Pool(build) as pool:
        commands = {"sandpool run -- true, running pool": pool.cli("run", "--block-network", "--", "true")}
        if bwrap:
            commands["bwrap true"] = bwrap.command()
        medians = median_ms(commands, runs, environment=pool.environment)
        base = medians.get("bwrap true")
        for name, value in medians.items():
            table.row(f"{name}, p50 of {runs}", f"{value:.1f} ms", f"{value / base:.2f} x bwrap" if base else "")


def streaming(table, build, mebibytes):
    """Bytes a second of stdout from a sandbox to the reader of the CLI's pipe."""
    with Pool(build) as pool:
        rate = pool.stream_rate(mebibytes)
        table.row(f"{mebibytes} MiB of stdout, sandbox to CLI", f"{rate:.0f} MiB/s", "")


def beside_bombs(table, build, jobs):
    """What hostile neighbours within ordinary limits leave of the throughput, every job being checked."""
    with Pool(build) as pool:
        pool.run_batch(50)
        undisturbed, beside = neighbours.rates(pool, jobs)
        table.row(f"neighbours: {jobs} true jobs, undisturbed", f"{undisturbed:.0f}/s", "1.00 x undisturbed")
        table.row(
            f"neighbours: beside {', '.join(neighbours.BOMBS)}", f"{beside:.0f}/s",
            f"{beside / undisturbed:.2f} x undisturbed")


def cost_of_mechanisms(table, build, jobs, rounds):
    """What a start saves without each mechanism of isolation, the launcher being the same otherwise."""
    start, prices = mechanisms.prices(build, jobs, rounds)
    table.row("one sandbox, launcher alone, start to end", f"{start:.0f} us", "100 % of a start")
    for name, (low, price, high) in prices.items():
        share = f"{price / start:.1%} of a start"
        table.row(f"cost of one: {name}", f"{price:.0f} us", f"{share} ({low:.0f} to {high:.0f} us)")
    table.note(f"costs: median of {rounds} rounds with and without in turn, and in brackets their middle half; a cost "
               "whose middle half goes below 0 is lost in the noise of this run")


def nothing_skipped(table, build, jobs):
    """What stands behind the throughput: syncs counted, namespaces told apart."""
    with Pool(build) as pool:
        evidence.durability(table, pool, jobs)
        evidence.isolation(table, pool, 8)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", required=True, help="directory with sandpool and sandpool-launcher")
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=10, help="of the mechanisms' costs")
    parser.add_argument("--stream-mib", type=int, default=1024)
    parts = ["throughput", "latency", "streaming", "neighbours", "mechanisms", "evidence"]
    parser.add_argument("--only", choices=parts)
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("bench: needs root, as the launcher does")

    table = Table()
    build = os.path.abspath(options.build)
    if options.only in (None, "throughput"):
        throughput(table, build, options.jobs)
    if options.only in (None, "latency"):
        latency(table, build, options.runs)
    if options.only in (None, "streaming"):
        streaming(table, build, options.stream_mib)
    if options.only in (None, "neighbours"):
        beside_bombs(table, build, options.jobs)
    if options.only in (None, "mechanisms"):
        cost_of_mechanisms(table, build, 100, options.rounds)
    if options.only in (None, "evidence"):
        nothing_skipped(table, build, 200)
    table.print()


if __name__ == "__main__":
    main()
