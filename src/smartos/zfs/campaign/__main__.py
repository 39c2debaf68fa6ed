"""Four campaigns against a pool: the power fails after every single write, every kind of disk fault happens, commands
run at once and are killed, and the pool's devices change.

    python -m smartos.zfs.campaign --seeds 10

<<<<<<< HEAD
Each is in a module of its own, :mod:`~smartos.zfs.campaign.crash`, :mod:`~smartos.zfs.campaign.fault` and
:mod:`~smartos.zfs.campaign.process`, and the crash campaign has a second part, :mod:`~smartos.zfs.campaign.log`, for
what fsync promised; `make campaign` runs them at length, side by side. The exit status is 1 when anything failed.
=======
Each is in a module of its own, :mod:`~smartos.zfs.campaign.crash`, :mod:`~smartos.zfs.campaign.fault`,
:mod:`~smartos.zfs.campaign.process` and :mod:`~smartos.zfs.campaign.vdev`; `make campaign` runs them at length, side by
side. The exit status is 1 when anything failed.
>>>>>>> d48e800 (zpool: a metaslab group knows its vdev by its place, so that a mirror's first disk can go; a resilver begins anew for a disk that joins in the middle; a walk by chance over changes of devices)

Left out: what those four leave out.
"""

import argparse
import sys

from smartos.zfs.campaign.crash import crash_campaign
from smartos.zfs.campaign.fault import fault_campaign
from smartos.zfs.campaign.log import log_campaign
from smartos.zfs.campaign.process import process_campaign
from smartos.zfs.campaign.tally import SHAPES, Tally
from smartos.zfs.campaign.vdev import vdev_campaign

__all__ = ["SHAPES", "Tally", "crash_campaign", "fault_campaign", "main", "process_campaign", "vdev_campaign"]


def crashes(seeds: range, steps: int, cuts: int, every: int) -> Tally:
    """The crash campaign over several seeds, with a line for each."""
    total = Tally()
    for seed in seeds:
        total.add(crash_campaign(seed, steps, cuts, every=every))
        total.add(log_campaign(seed, steps, cuts, every=every))
        print(f"crash campaign: seed {seed}, {total.counts['crashes']:,} crashes so far", flush=True)  # noqa: T201
    return total


def faulted(seeds: range, faults: int) -> Tally:
    """The fault campaign over several seeds, with a line for each."""
    total = Tally()
    for seed in seeds:
        total.add(fault_campaign(seed, faults))
        print(f"fault campaign: seed {seed}, {total.counts['faults']:,} faults so far", flush=True)  # noqa: T201
    return total


def killed(seeds: range, rounds: int) -> Tally:
    """The process campaign over several seeds, with a line for each."""
    total = Tally()
    for seed in seeds:
        total.add(process_campaign(seed, rounds))
        done = total.counts["  of these, killed"]
        print(f"process campaign: seed {seed}, {done:,} commands killed so far", flush=True)  # noqa: T201
    return total


def walked(seeds: range) -> Tally:
    """The vdev campaign over several seeds, with a line for every hundred."""
    total = Tally()
    for seed in seeds:
        total.add(vdev_campaign(seed))
        if total.counts["walks"] % 100 == 0:
            print(f"vdev campaign: seed {seed}, {total.counts['steps']:,} steps so far", flush=True)  # noqa: T201
    return total


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m smartos.zfs.campaign", description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=("crash", "fault", "process", "vdev"), help="one campaign of the four")
    parser.add_argument("--seeds", type=int, default=6, help="how many workloads of each campaign")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--steps", type=int, default=30, help="steps of each workload of the crash campaign")
    parser.add_argument("--cuts", type=int, default=60, help="power cuts of each workload with writes lost, reordered")
    parser.add_argument("--every", type=int, default=32, help="open the pool after every so many writes to its data")
    parser.add_argument("--faults", type=int, default=200, help="faults for each seed of the fault campaign")
    parser.add_argument("--rounds", type=int, default=20, help="rounds of two commands for each seed of the processes")
    parser.add_argument("--walks", type=int, default=100, help="how many walks over changes of devices")
    chosen = parser.parse_args()
    others = (chosen.first, chosen.steps, chosen.cuts, chosen.faults, chosen.rounds, chosen.walks)
    if min(chosen.seeds, chosen.every) < 1 or min(others) < 0:
        parser.error("--seeds and --every are at least 1, the others at least 0")
    seeds = range(chosen.first, chosen.first + chosen.seeds)
    found: dict[str, Tally] = {}
    if chosen.only in (None, "crash"):
        found["crash"] = crashes(seeds, chosen.steps, chosen.cuts, chosen.every)
    if chosen.only in (None, "fault"):
        found["fault"] = faulted(seeds, chosen.faults)
    if chosen.only in (None, "process"):
        found["process"] = killed(seeds, chosen.rounds)
    if chosen.only in (None, "vdev"):
        found["vdev"] = walked(range(chosen.first, chosen.first + chosen.walks))
    for name, tally in found.items():
        print(f"{name} campaign\n{tally.describe()}", flush=True)  # noqa: T201 - a program's output
    sys.exit(1 if any(tally.failures for tally in found.values()) else 0)


if __name__ == "__main__":
    main()
