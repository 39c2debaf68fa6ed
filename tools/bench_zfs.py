"""Measure the ZFS model: how fast it sums, packs, writes, walks and resilvers, as ratios of one run on one machine.

The rates of :mod:`tools.bench_rates` are taken in this Python, with NumPy where it is to be had, and in the Python of a
page, in Chromium. A pool of 10,000 files is written and synced; then every copy of every block is verified, by our walk
and by OpenZFS's zdb on the same file. The walk is timed at a quarter and at half of the files too: its cost per block
must not grow. A mirror's disk is replaced, and the resilver is timed. Last, snapshots are taken by command, each by a
system that opens the pool anew, as each command line does: the cost of one must not grow with their number.

`python -m tools.bench_zfs --site _build/html` measures this alone. Left out: memory, and zdb's reads ahead, which it
does and the model does not.
"""

import argparse
import json
import random
import re
import shutil
import time
from pathlib import Path
from types import ModuleType
from typing import Any

from smartos.commands import System, run
from smartos.zfs.disk.disk import FileDisk, MemoryDisk
from smartos.zfs.format import checksum
from smartos.zfs.read.pool import Pool
from smartos.zfs.read.walk import walk
from smartos.zfs.spa.spa import Spa, verify
from tools import bench_rates
from tools.peers import PeerMissing, peer
from tools.wheels import wheel

FILES = 10_000
PARTS = (4, 2, 1)  # the walk is timed at these fractions of the files
DIRECTORY = 100  # files in one
LARGEST = 8192  # bytes of a file, drawn evenly
SIZE = 256 << 20
RESILVERED = 48 << 20  # bytes to copy, in full records
SNAPSHOTS = 100  # by command
ROUNDS = 4  # of each walk; the best counts
NAME = "bench"

# The worker of the book's pages, spoken to as the page does (static/run/worker.js): start, then one run.
IN_WORKER = """([address, code]) => new Promise((resolve, reject) => {
  const worker = new Worker(address, { type: "module" });
  let said = "";
  const end = (how, what) => (worker.terminate(), how(what));
  worker.onerror = (event) => end(reject, new Error(event.message || "the worker could not be loaded"));
  worker.onmessage = ({ data }) => {
    if (data.type === "ready") worker.postMessage({ type: "run", id: 1, code });
    if (data.type === "out") said += typeof data.data === "string" ? data.data : JSON.stringify(data.data);
    if (data.type === "failed") end(reject, new Error(data.message));
    if (data.type === "done") data.error ? end(reject, new Error(JSON.stringify(data.error))) : end(resolve, said);
  };
  worker.postMessage({ type: "start" });
})"""


def in_page(site: Path, module: ModuleType = bench_rates, call: str = "rates()") -> dict[str, Any]:
    """What a module that is sent to a built book's page finds there: the rates, if nothing else is said."""
    from tools.bench_pages import opened, served

    assert module.__file__
    code = Path(module.__file__).read_text("utf-8").split('if __name__ == "__main__"')[0]
    with served(site) as address, opened() as browser:
        page = browser.new_page()
        page.goto(f"{address}/book/index.html", wait_until="load")  # the one above it leads here
        worker = f"{address}/_static/run/worker.js"
        said = page.evaluate(IN_WORKER, [worker, f"{code}\nprint(json.dumps({call}))\n"])
    return json.loads(re.search(r"\{.*\}", said)[0])


def with_numpy() -> dict[str, float] | str:
    """The rates with NumPy, or why there are none."""
    before = checksum.numpy
    try:
        checksum.numpy = wheel("numpy")
        return bench_rates.rates(fast=True)
    except PeerMissing as missing:
        return str(missing)
    finally:
        checksum.numpy = before


def written(path: Path, files: int) -> dict[str, float]:
    """A pool of so many files in a new file: seconds to create, write and sync them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.touch()
    chance = random.Random(files)
    with path.open("r+b") as file:
        file.truncate(SIZE)
    pool = Spa.create(NAME, [FileDisk(path)])
    pool.events.enabled = False
    home = pool.open(NAME)
    started = time.perf_counter()
    for number in range(files):
        where = f"/d{number // DIRECTORY}"
        if number % DIRECTORY == 0:
            home.mkdir(where)
        home.write(f"{where}/f{number}", chance.randbytes(chance.randrange(LARGEST)))
    made = time.perf_counter() - started
    pool.sync()
    whole = time.perf_counter() - started
    pool.export()
    return {"files": files, "create s": made, "sync s": whole - made, "s": whole}


def walked(path: Path) -> dict[str, float]:
    """Open a pool and verify every copy of every block of it, as zdb -bcc does: blocks, bytes, seconds.

    `cpu s` are this process's own seconds, which another program on the machine does not lengthen.
    """
    started, busy = time.perf_counter(), time.process_time()
    report = walk(Pool.open([FileDisk(path, writable=False)]))
    spent = {"s": time.perf_counter() - started, "cpu s": time.process_time() - busy}
    assert report.sound, report.describe()
    return {"blocks": report.count, "copies": report.verified, "bytes": report.psize} | spent


def rounds(paths: list[Path]) -> list[dict[str, float]]:
    """The best of several walks of each pool, taken in turn, so that a slow moment is not one pool's alone."""
    runs = [[walked(path) for path in paths] for _ in range(ROUNDS)]
    return [min(each, key=lambda run: run["cpu s"]) for each in zip(*runs, strict=True)]


def zdb(folder: Path) -> dict[str, float] | str:
    """The same of OpenZFS's zdb: blocks and seconds, and seconds to open the pool and no more; or why there are none."""
    try:
        program = peer("zfs")
    except PeerMissing as missing:
        return str(missing)

    def best(*options: str) -> tuple[float, str]:
        runs = []
        for _ in range(ROUNDS):
            started = time.perf_counter()
            done = program.run("zdb", "-e", "-p", folder, *options, NAME, timeout=300)
            runs.append(time.perf_counter() - started)
            assert done.returncode == 0, done.stdout + done.stderr
        return min(runs), done.stdout

    opening, whole = best("-u")[0], best("-bcc")
    assert "No leaks" in whole[1], whole[1]
    return {"blocks": float(re.search(r"bp count:\s+(\d+)", whole[1])[1]), "s": whole[0], "open s": opening}


def resilvered() -> dict[str, float]:
    """Replace one disk of a mirror that holds full records: bytes copied and seconds."""
    disks = [MemoryDisk(SIZE, f"d{n}") for n in range(3)]
    pool = Spa.create(NAME, [("mirror", *disks[:2])])
    pool.events.enabled = False
    chance = random.Random(1)
    for number in range(RESILVERED >> 20):
        pool.open(NAME).write(f"/f{number}", chance.randbytes(1 << 20))
    pool.sync()
    started = time.perf_counter()
    pool.replace("d1", disks[2])
    pool.scan.wait()
    spent = time.perf_counter() - started
    assert verify(pool).sound and [leaf.disk.name for leaf in pool.root.leaves()] == ["d0", "d2"]
    return {"bytes": RESILVERED, "s": spent}


def commanded(folder: Path, version: int, count: int = SNAPSHOTS) -> dict[str, float]:
    """Snapshots by command on a new pool of a version: this process's seconds for all, the first fifth, the last."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    lines = ["mkfile -n 256m d0", f"zpool create -o version={version} {NAME} d0"]
    spent = []
    for line in lines + [f"zfs snapshot {NAME}@s{number}" for number in range(count)]:
        busy = time.process_time()
        with System(folder, load=False) as system:
            done = run(line, system)
        spent.append(time.process_time() - busy)
        assert done.status == 0, done
    spent, part = spent[2:], count // 5
    return {"count": count, "s": sum(spent), "first s": sum(spent[:part]), "last s": sum(spent[-part:])}


def measure(scratch: Path, site: Path | None) -> dict[str, Any]:
    """Everything; without a built book nothing of the page."""
    result: dict[str, Any] = {"rates": bench_rates.rates(), "numpy": with_numpy()}
    result["page"] = in_page(site) if site else "no built book"
    paths = [scratch / f"zfs-{part}" / "d0" for part in PARTS]
    for part, path in zip(PARTS, paths, strict=True):
        result["written"] = written(path, FILES // part)
    result["walks"] = rounds(paths)
    result["zdb"] = zdb(paths[-1].parent)
    result["resilver"] = resilvered()
    result["commands"] = {version: commanded(scratch / f"zfs-commands-{version}", version) for version in (23, 28)}
    return result


def aim(words: str, met: bool) -> str:
    """An aim, and whether it is met."""
    return f"(aim: {words}: {'met' if met else 'MISSED'})"


def rate_lines(here: dict[str, float], page: dict[str, float] | str, numpy: dict[str, float] | str) -> list[str]:
    """The table of rates, here and in the page, and what they are beside the loop over words."""
    out = [f"{'ZFS, MB/s of a block of 128 KiB':36}{'here':>12}{'in the page':>12}{'ratio':>9}"]
    for name, value in here.items():
        there = f"{page[name]:12.2f}{page[name] / value:9.2f}" if isinstance(page, dict) else f"{'–':>12}{'–':>9}"
        out.append(f"{name:36}{value:12.2f}{there}")
    word = "fletcher-4, word by word"
    for where, found, loop, wanted in (
        ("here", here, here[word], 4),
        ("with NumPy", numpy, here[word], 5),
        ("in the page", page, page[word] if isinstance(page, dict) else 0, 4),
    ):
        if isinstance(found, str):
            out.append(f"fletcher-4 {where}: not measured: {found}")
            continue
        times = found["fletcher-4"] / loop
        met = aim(f"{wanted} times", times >= wanted)
        out.append(f"fletcher-4 {where}: {found['fletcher-4']:.0f} MB/s, same digits, {times:.1f} times the loop {met}")
    return out


def lines(result: dict[str, Any]) -> list[str]:
    """The report of :func:`measure`, in lines; an aim is said to be met or missed."""
    out = rate_lines(result["rates"], result["page"], result["numpy"])
    made, walks, theirs, copied = (result[name] for name in ("written", "walks", "zdb", "resilver"))
    whole, sync = made["s"], made["sync s"]
    last, costs = walks[-1], [each["cpu s"] / each["blocks"] * 1e6 for each in walks]
    linear = aim("linear: no more than a quarter dearer at the end", costs[-1] <= 1.25 * costs[0])
    sizes, each = ", ".join(f"{w['blocks']:,}" for w in walks), ", ".join(f"{cost:.0f}" for cost in costs)
    out += [
        f"{made['files']:,} files created, written and synced: {whole:.2f} s, of which the sync {sync:.2f} s",
        f"{last['blocks']:,} blocks walked and verified: {last['s']:.2f} s, {last['blocks'] / last['s']:,.0f} a second, "
        f"{last['bytes'] / last['s'] / 1e6:.1f} MB/s {aim('10,000 in 5 s', last['s'] / last['blocks'] < 5e-4)}",
        f"processor time a block in microseconds, at {sizes} blocks: {each} {linear}",
        f"zdb on the same pool: not measured: {theirs}" if isinstance(theirs, str) else
        f"zdb -bcc on the same pool: {theirs['blocks']:,.0f} blocks in {theirs['s']:.2f} s, of which opening it "
        f"{theirs['open s']:.2f} s; ours takes {last['s'] / theirs['s']:.2f} of its time",
        f"resilver of {copied['bytes'] / 1e6:.0f} MB: {copied['s']:.2f} s, {copied['bytes'] / copied['s'] / 1e6:.1f} MB/s",
    ]  # fmt: skip
    for version, found in result["commands"].items():
        times, flat = found["last s"] / found["first s"], ""
        if version < 26:  # from then on the format itself has a list for each earlier snapshot with every new one
            flat = " " + aim("flat: no more than half dearer at the end", times <= 1.5)
        out.append(
            f"{found['count']} snapshots by command, pool version {version}: {found['s'] / found['count'] * 1000:.0f} ms of "
            f"the processor each, the last fifth {times:.2f} times the first{flat}"
        )
    return out


def main() -> None:
    from tools.bench import BENCH

    parser = argparse.ArgumentParser(prog="python -m tools.bench_zfs", description=__doc__.splitlines()[0])
    parser.add_argument("--site", type=Path, help="a built book, to measure in a page of it")
    options = parser.parse_args()
    print("\n".join(lines(measure(BENCH, options.site))), flush=True)


if __name__ == "__main__":
    main()
