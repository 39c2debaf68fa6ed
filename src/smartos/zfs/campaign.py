"""Two campaigns against a pool: the power fails after every single write, and every kind of disk fault happens.

    python -m smartos.zfs.campaign --seeds 10

Each is in a module of its own, :mod:`~smartos.zfs.campaign_crash` and :mod:`~smartos.zfs.campaign_fault`; `make
campaign` runs both at length, side by side. The exit status is 1 when anything failed.

Left out: what those two leave out.
"""

import argparse
import sys

from smartos.zfs.campaign_crash import crash_campaign
from smartos.zfs.campaign_fault import fault_campaign
from smartos.zfs.campaign_tally import SHAPES, Tally

__all__ = ["SHAPES", "Tally", "crash_campaign", "fault_campaign", "main"]


def crashes(seeds: range, steps: int, cuts: int, every: int) -> Tally:
    """The crash campaign over several seeds, with a line for each."""
    total = Tally()
    for seed in seeds:
        total.add(crash_campaign(seed, steps, cuts, every=every))
        print(f"crash campaign: seed {seed}, {total.counts['crashes']:,} crashes so far", flush=True)  # noqa: T201
    return total


def faulted(seeds: range, faults: int) -> Tally:
    """The fault campaign over several seeds, with a line for each."""
    total = Tally()
    for seed in seeds:
        total.add(fault_campaign(seed, faults))
        print(f"fault campaign: seed {seed}, {total.counts['faults']:,} faults so far", flush=True)  # noqa: T201
    return total


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m smartos.zfs.campaign", description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=("crash", "fault"), help="one campaign of the two")
    parser.add_argument("--seeds", type=int, default=6, help="how many workloads of each campaign")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--steps", type=int, default=30, help="steps of each workload of the crash campaign")
    parser.add_argument("--cuts", type=int, default=60, help="power cuts of each workload with writes lost, reordered")
    parser.add_argument("--every", type=int, default=32, help="open the pool after every so many writes to its data")
    parser.add_argument("--faults", type=int, default=200, help="faults for each seed of the fault campaign")
    chosen = parser.parse_args()
    if min(chosen.seeds, chosen.every) < 1 or min(chosen.first, chosen.steps, chosen.cuts, chosen.faults) < 0:
        parser.error("--seeds and --every are at least 1, the others at least 0")
    seeds = range(chosen.first, chosen.first + chosen.seeds)
    found: dict[str, Tally] = {}
    if chosen.only != "fault":
        found["crash"] = crashes(seeds, chosen.steps, chosen.cuts, chosen.every)
    if chosen.only != "crash":
        found["fault"] = faulted(seeds, chosen.faults)
    for name, tally in found.items():
        print(f"{name} campaign\n{tally.describe()}", flush=True)  # noqa: T201 - a program's output
    sys.exit(1 if any(tally.failures for tally in found.values()) else 0)


if __name__ == "__main__":
    main()
