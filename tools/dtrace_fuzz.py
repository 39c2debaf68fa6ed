"""Programs by chance against DTrace's own claim: no program hangs, crashes or changes the traced system.

    python -m tools.dtrace_fuzz --programs 10000

Every program is generated, or mutated from one that a person could have written, and run over an idle system. What must
hold: nothing comes out but a D error or an option's; it ends, in time; its buffers, its aggregations, its dynamic
variables and its strings stay inside their bounds; no byte of the traced system changes; and compiled to Python it
prints the same, to the byte, as interpreted. Every program is a number: `--only N` runs and prints one again. The exit
status is 1 for any failure.

Left out: processes (system() is not carried out, and freopen() opens nothing), and `-C`.
"""

import argparse
import hashlib
import io
import random
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from smartos.dtrace.errors import DError, OptionError
from smartos.dtrace.kernel.compiled import listener
from smartos.dtrace.options import COMMAND, Options
from smartos.dtrace.session import Session
from smartos.dtrace.vm.memory import Region
from tools.dtrace_generate import Generator
from tools.dtrace_mutate import PROGRAMS, mutate
from tools.paths import stop

SECONDS = 20  # of a processor's time that one program may take
VIRTUAL = 50 * 10**6  # nanoseconds of the traced system's time
TEXT = 1 << 26  # characters that a program may print in that time


class TooLong(BaseException):
    """The program did not end in time. No `except Exception` catches it."""


@dataclass
class Tally:
    """What was counted, and what went wrong, in words."""

    counts: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def describe(self) -> str:
        """The counts, one a line, the errors' tags by how often they came."""
        lines = [f"{count:>9,} {name}" for name, count in self.counts.most_common()]
        return "\n".join([*lines, f"{len(self.failures):>9,} failures", *self.failures[:20]])


@dataclass
class Ran:
    """One run: what it printed, its status (None for one that did not compile), and what it broke."""

    out: str = ""
    err: str = ""
    status: int | None = None
    tag: str = ""
    broken: list[str] = field(default_factory=list)
    faults: int = 0


def program(seed: int) -> str:
    """The program of that number: two of three are generated, the third is mutated."""
    chosen = random.Random(seed)
    if seed % 3 == 2:
        other = Generator(seed).program() if chosen.random() < 0.4 else chosen.choice(PROGRAMS)
        return mutate(other, chosen, 4)
    return Generator(seed).program()


@contextmanager
def bounded(seconds: int) -> Iterator[None]:
    """Raise :class:`TooLong` after so many seconds of a processor's time, where the system has such alarms."""

    def ring(_number: int, _frame: FrameType | None) -> None:
        raise TooLong

    if not hasattr(signal, "SIGVTALRM"):
        yield
        return
    before = signal.signal(signal.SIGVTALRM, ring)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


class Watch:
    """What a session's kernel holds: every region that a program must not change, as it was when it was mapped."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.broken: list[str] = []
        memory = session.kernel.firing.machine.memory
        self._held: dict[int, tuple[Region, bytes]] = {}
        for page in list(memory.pages.values()):
            self._hold(page)
        self._map = memory.map
        memory.map = self.map  # type: ignore[method-assign]

    def _hold(self, region: Region) -> None:
        if not region.store and isinstance(region.data, bytearray | memoryview):
            self._held.setdefault(id(region), (region, hashlib.sha256(region.data).digest()))

    def map(self, what: Any, user: bool = False, address: int | None = None) -> int:
        """As the memory maps; what may not be stored to is remembered."""
        found = self._map(what, user, address)
        self._hold(self.session.kernel.firing.machine.memory.pages[found >> 16])
        return found

    def look(self) -> None:
        """Compare with the bounds, while it runs."""
        kernel = self.session.kernel
        size, strsize = kernel.options.number("bufsize"), kernel.options.number("strsize")
        for cpu, buffer in kernel.buffers.items():
            used = sum(entry.ecb.size for entry in buffer.entries)
            if buffer.offset > max(size, buffer.size) or used > buffer.size:
                self.broken.append(f"CPU {cpu}'s buffer holds {used} bytes to {buffer.offset} of {buffer.size}")
        variables = kernel.firing.variables
        if len(variables.dynamic) > variables.capacity:
            self.broken.append(f"{len(variables.dynamic)} dynamic variables of {variables.capacity}")
        for (scope, number, _), held in variables.references.items():
            if held.size > max(strsize, variables.size(variables.types[scope, number])):
                self.broken.append(f"a variable of {held.size} bytes")
        if len(kernel.speculations.all if hasattr(kernel.speculations, "all") else ()) > kernel.options.number("nspec"):
            self.broken.append("more speculations than nspec")

    def end(self, destructive: bool) -> list[str]:
        """What was broken in all. A destructive program may change a process's memory, and nothing else."""
        for region, was in self._held.values():
            if hashlib.sha256(region.data).digest() != was and not (destructive and region.base < 1 << 63):
                self.broken.append(f"the memory at {region.base:#x} has changed")
        return list(dict.fromkeys(self.broken))


class Watched(Session):
    """A session that is watched while it runs. `compiled` lets every probe run as Python functions, those of time too."""

    def __init__(self, seed: int, compiled: bool, options: Options) -> None:
        super().__init__((), options, seed=seed, out=io.StringIO(), err=io.StringIO())
        self.kernel.compiled = compiled
        self.watch: Watch | None = None
        self._hears: dict[int, Any] = {}

    def go(self) -> None:
        """Begin to trace, and to watch."""
        super().go()
        self.watch = Watch(self)
        if self.kernel.compiled:
            self.kernel.fire = self._fire  # type: ignore[method-assign]

    def _fire(self, number: int, args: tuple, context: Any) -> None:
        if number not in self._hears:
            self._hears[number] = listener(self.kernel.firing, number) if number in self.kernel.by_probe else None
        hear = self._hears[number]
        if hear is None:
            self.kernel.firing.fire(number, args, context)
        else:
            hear(None, args, context)

    def advance(self, to: int) -> int:
        """As a session does, and look."""
        done = super().advance(to)
        if self.watch is not None:
            self.watch.look()
        return done


def run(text: str, compiled: bool = True, seed: int = 1) -> Ran:
    """Run a program over an idle system, in one of the two ways, and watch it."""
    session, ran = Watched(seed, compiled, Options(**COMMAND, maxtime=VIRTUAL)), Ran()
    try:
        session.enable(session.compile(text, script=True))
        session.go()
        session.run()
        ran.status = session.status
    except (DError, OptionError) as error:
        ran.tag = getattr(error, "tag", "") or str(error)
        ran.err = str(error)
    finally:
        session.kernel.detach()
    if ran.status is not None:
        ran.out, ran.err = session.out.getvalue(), session.err.getvalue()
        ran.faults = ran.err.count("error on enabled probe")
        if len(ran.out) + len(ran.err) > TEXT:
            ran.broken.append(f"{len(ran.out) + len(ran.err)} characters printed")
    if session.watch is not None:
        ran.broken += session.watch.end("destructive" in session.options)
    return ran


def check(text: str, seed: int = 1, both: bool = True) -> tuple[list[str], Ran | None]:
    """What a program does that none may do, in words, and its run."""
    runs = []
    for compiled in (True, False) if both else (True,):
        how = "compiled" if compiled else "interpreted"
        try:
            with bounded(SECONDS):
                runs.append(run(text, compiled, seed))
        except TooLong:
            return [f"{how}, it does not end within {SECONDS} s"], None
        except Exception as error:  # noqa: BLE001  (whatever it is, it is the finding)
            places = traceback.extract_tb(error.__traceback__)
            place = next((at for at in reversed(places) if "/dtrace/" in at.filename or at.filename.startswith("<")), places[-1])
            return [f"{how}, {type(error).__name__}: {str(error)[:100]} at {place.filename.rsplit('/', 1)[-1]}:{place.lineno}"], None
    found = [f"{how}: {line}" for how, one in zip(("compiled", "interpreted"), runs, strict=False) for line in one.broken]
    if len(runs) == 2 and (runs[0].out, runs[0].err, runs[0].status) != (runs[1].out, runs[1].err, runs[1].status):
        found.append(f"compiled and interpreted differ: {_first(runs[0], runs[1])}")
    return found, runs[0]


def _first(one: Ran, other: Ran) -> str:
    for name in ("out", "err"):
        for mine, theirs in zip(getattr(one, name).splitlines(), getattr(other, name).splitlines(), strict=False):
            if mine != theirs:
                return f"{name} {mine[:90]!r} and {theirs[:90]!r}"
    return f"lengths {len(one.out)}, {len(one.err)} and {len(other.out)}, {len(other.err)}; status {one.status}, {other.status}"


def campaign(first: int, programs: int, both: bool = True, every: int = 0) -> Tally:
    """Run the programs of the numbers from `first` on; with `every`, say now and then how far it is."""
    tally = Tally()
    began = time.monotonic()
    for seed in range(first, first + programs):
        text = program(seed)
        found, ran = check(text, seed, both)
        tally.counts["programs"] += 1
        new = [f"program {seed}: {line}" for line in found]
        tally.failures += new
        if every and new:
            print(*new, sep="\n", flush=True)
        if ran is not None:
            tally.counts["ran to their end" if ran.status is not None else f"refused: {ran.tag}"] += 1
            tally.counts["faults reported"] += ran.faults
            tally.counts["programs with drops"] += "drop" in ran.err
        if every and (seed - first + 1) % every == 0:
            print(f"{seed - first + 1:>9,} programs, {len(tally.failures)} failures, {time.monotonic() - began:.0f} s", flush=True)
    return tally


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.dtrace_fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("--programs", type=int, default=10_000, help="how many programs")
    parser.add_argument("--seed", type=int, default=0, help="the number of the first")
    parser.add_argument("--once", action="store_true", help="compiled only: do not compare with the interpreter")
    parser.add_argument("--only", type=int, help="print the program of that number, run it, and print what it prints")
    chosen = parser.parse_args()
    if chosen.only is not None:
        text = program(chosen.only)
        print(text)
        found, ran = check(text, chosen.only, not chosen.once)
        print(ran.out + ran.err if ran else "", *found, sep="\n")
        sys.exit(bool(found))
    if chosen.programs < 1:
        stop("dtrace_fuzz", "--programs is at least 1")
    tally = campaign(chosen.seed, chosen.programs, not chosen.once, every=500)
    print(tally.describe())
    sys.exit(bool(tally.failures))


if __name__ == "__main__":
    main()
