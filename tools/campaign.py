"""Run the ZFS campaigns and DTrace's at length, side by side, and print what they counted; the status is 1 for a failure.

The crash campaign opens and compares the pool after every single write of twelve workloads: six shapes of pool, each at
two versions. The fault campaign does two thousand things, one at a time, to disks of five redundant shapes. The process
campaign runs two commands at once on one pool, five hundred times, and kills some of them. The vdev campaign takes two
thousand walks over changes of a pool's devices. DTrace's runs ten thousand D programs by chance
(:mod:`tools.dtrace_fuzz`). `make test` has a short form of each. It takes some minutes on two free cores for ZFS, and
longer for DTrace; --rounds, --faults, --pairs, --walks and --programs change that.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tools.paths import ROOT, stop

MODULE = [sys.executable, "-u", "-m", "smartos.zfs.campaign"]
SHAPES, REDUNDANT = 6, 5  # seeds after which each kind of pool has had its turn


def commands(rounds: int, faults: int, pairs: int, walks: int, programs: int) -> dict[str, list[str]]:
    """What runs: `rounds` turns of every shape of pool, `faults` faults and `pairs` of commands at once in all, so
    many `walks` and D `programs`."""
    each, turns = -(-faults // REDUNDANT), -(-pairs // SHAPES)
    return {
        "crash": [*MODULE, "--only", "crash", "--seeds", str(rounds * SHAPES), "--every", "1"],
        "fault": [*MODULE, "--only", "fault", "--seeds", str(REDUNDANT), "--faults", str(each)],
        "process": [*MODULE, "--only", "process", "--seeds", str(SHAPES), "--rounds", str(turns)],
        "vdev": [*MODULE, "--only", "vdev", "--walks", str(walks)],
        "dtrace": [sys.executable, "-u", "-m", "tools.dtrace_fuzz", "--programs", str(programs)],
    }


def side_by_side(programs: dict[str, list[str]]) -> int:
    """Run the programs at once: the lines of the first as they come, then those of the others; 1 if one failed."""
    with tempfile.TemporaryDirectory() as scratch:
        logs = {name: Path(scratch) / name for name in list(programs)[1:]}
        running = {}
        try:
            for name, command in programs.items():
                output = logs[name].open("w", encoding="utf-8") if name in logs else None
                running[name] = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
            failed = False
            for name, program in running.items():
                code = program.wait()
                if name in logs:
                    print(logs[name].read_text("utf-8"), end="", flush=True)
                if code not in (0, 1):
                    print(f"campaign: the {name} campaign broke off with exit status {code}", flush=True)
                failed |= code != 0
        finally:
            for program in running.values():
                if program.poll() is None:
                    program.terminate()
    return int(failed)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.campaign", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=2, help="how often each shape of pool crashes")
    parser.add_argument("--faults", type=int, default=2000, help="how many faults")
    parser.add_argument("--pairs", type=int, default=500, help="how many pairs of commands at once")
    parser.add_argument("--walks", type=int, default=2000, help="how many walks over changes of devices")
    parser.add_argument("--programs", type=int, default=10_000, help="how many D programs")
    chosen = parser.parse_args()
    if min(chosen.rounds, chosen.faults, chosen.pairs, chosen.walks, chosen.programs) < 1:
        stop("campaign", "--rounds, --faults, --pairs, --walks and --programs are at least 1")
    started = time.monotonic()
    failed = side_by_side(commands(chosen.rounds, chosen.faults, chosen.pairs, chosen.walks, chosen.programs))
    minutes = (time.monotonic() - started) / 60
    print(f"campaign: {'FAILED' if failed else 'passed'}, {minutes:.1f} min in all", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
