"""The log of a guest's exits as something to walk through: who has the processor, what the exit says, what it leads to.

The steps come from the recorded runs, so that a page shows the same on every machine; exits that one instruction makes
in a row are one step. Left out: how long anything takes.
"""

from itertools import groupby

from smartos.explore.kit.controls import Choice
from smartos.explore.kit.explorer import Stepper
from smartos.explore.kit.frame import Frame, Table
from smartos.explore.kit.svg import drawing, element, group, line, rect, text
from smartos.kvm import Exit, Guest, Run, run
from smartos.kvm.devices import SERIAL
from smartos.kvm.exits import HLT, INTR
from smartos.kvm.guests import ORIGIN, Line

WIDTH, MONO = 480, "var(--mono, monospace)"
LINES = 4  # of the listing, in the guest's box


def log_table(run: Run, first: int = 1, last: int | None = None) -> Table:
    """The log of a run, or the exits from number `first` to `last` of it."""
    rows = [
        (exit.n, exit.reason, exit.detail, source(run.guest, exit.resume), exit.mode)
        for exit in run.log[first - 1 : last]
    ]
    columns = ["Exit", "Reason", "What it asks", "The instruction", "Mode"]
    return Table(columns, rows, f"Exits of the guest {run.guest.name}")


def source(guest: Guest, resume: int | None) -> str:
    """The assembly of the instruction that ends at `resume`, without its comment."""
    line = guest.before(resume)
    return bare(line) if line else ""


def bare(line: Line) -> str:
    """A line's assembly without its comment."""
    return line.source.split(";")[0].strip()


def steps(guest: str) -> list[Frame]:
    """The frames of one guest's recorded run: the entry, then a frame for each instruction's exits."""
    done = run(guest, "recorded")
    frames = [_frame(done, [], "", "", 0)]
    serial = ""
    for _, exits in groupby(done.log, key=lambda exit: (exit.resume, exit.reason)):
        batch = list(exits)
        written = "".join(chr(e.value) for e in batch if e.direction == "out" and e.address == SERIAL)
        serial += written
        frames.append(_frame(done, batch, written, serial, batch[-1].n))
    return frames


def exit_stepper(name: str = "exits") -> Stepper:
    """A stepper over the exits of the first two guests."""
    guests = Choice("Guest", [("hi", "hi, 13 bytes"), ("modes", "modes, real to long mode")])
    return Stepper(name, "What happens at an exit", steps, {"guest": guests}, {"guest": "hi"}, at=1)


def _frame(done: Run, batch: list[Exit], written: str, serial: str, count: int) -> Frame:
    says = _says(done.guest, batch, written)
    counts: dict[str, int] = {}
    for exit in done.log[:count]:
        counts[exit.reason] = counts.get(exit.reason, 0) + 1
    table = Table(["Reason", "Exits so far"], [*counts.items(), ("all", count)])
    return Frame(_figure(done.guest, batch, serial, says), says, table)


def _says(guest: Guest, batch: list[Exit], written: str) -> str:
    if not batch:
        return f"The monitor calls KVM_RUN; KVM enters the guest {guest.name} at {ORIGIN:#x}, in real mode."
    first, last = batch[0], batch[-1]
    code = source(guest, first.resume)
    if first.reason == HLT:
        return f"Exit {first.n}: the guest executes {code}. Nothing can wake it; the monitor does not enter it again."
    if len(batch) > 1:
        return (
            f"Exits {first.n} to {last.n}: {code} leaves the guest {len(batch)} times, once for each character of "
            f"{_quoted(written)}, and each time the monitor enters it again."
        )
    asked = f"Exit {first.n}: {code} leaves the guest as {first.reason}"
    return f"{asked}; the monitor serves “{first.detail}” and enters the guest again."


def _quoted(written: str) -> str:
    return f"“{written.rstrip()}”" + (" and its line end" if written.endswith("\n") else "")


def _figure(guest: Guest, batch: list[Exit], serial: str, says: str) -> str:
    """Guest above, kernel between, monitor below; the way down is the exit, the way up the next entry."""
    exit = batch[-1] if batch else None
    times = f" × {len(batch)}" if len(batch) > 1 else ""
    kernel = f"{exit.reason}{times}" if exit else "KVM_RUN"
    asks = "enters the guest" if not exit else f"the last: {exit.detail}" if times else exit.detail
    shown = serial.replace("\n", "⏎")
    boxes = [
        _box(8, 118, f"guest · {exit.mode if exit else 'real'} mode", not exit),
        _box(150, 36, "KVM, in the kernel", False),
        _box(210, 78, "monitor, a process", bool(exit)),
    ]
    words = [
        text(150, 170, kernel, font_family=MONO, size=14, font_weight="bold"),
        text(22, 254, asks, font_family=MONO, size=14, font_weight="bold"),
        text(22, 276, f"serial port: {shown[-44:]}", font_family=MONO),
    ]
    ways = []
    if exit:
        ways.append(_arrow(400, 126, 150) + _arrow(400, 186, 210))
    if not exit or exit.reason not in (HLT, INTR):
        ways.append(_arrow(440, 210, 186) + _arrow(440, 150, 126))
    return drawing(WIDTH, 296, says, *boxes, *_code(guest, exit), *words, *ways)


def _box(y: float, height: float, title: str, here: bool) -> str:
    """A box with its title; a thick edge on the side that has the processor."""
    return group(
        rect(8, y, WIDTH - 16, height, stroke="kvm" if here else "rule", stroke_width=3 if here else 1.5, rx=4),
        text(22, y + 20, title, fill="ink-2"),
    )


def _arrow(x: float, start: float, end: float) -> str:
    way = 1 if end > start else -1
    head = f"M{x - 5:g} {end - 7 * way:g}L{x:g} {end:g}L{x + 5:g} {end - 7 * way:g}"
    return line(x, start, x, end, stroke="ink", stroke_width=1.5) + element("path", d=head, fill="none", stroke="ink")


def _code(guest: Guest, exit: Exit | None) -> list[str]:
    """The listing around the instruction that has just exited."""
    code = [line for line in guest.lines if line.code]
    at = code.index(guest.before(exit.resume)) if exit and exit.resume in guest.ends else 0
    first = max(0, min(at - 2, len(code) - LINES))
    shown = []
    for row, entry in enumerate(code[first : first + LINES]):
        here = first + row == at
        words = f"{'▸' if here else ' '} {entry.address:04x}  {entry.code.hex():<14.14}  {bare(entry)}"
        weight = "bold" if here else None
        shown.append(text(22, 52 + 19 * row, words, font_family=MONO, font_weight=weight, style="white-space:pre"))
    return shown

