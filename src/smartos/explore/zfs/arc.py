"""ARC beside LRU: which share of a trace each answers, what p does meanwhile, and a few requests one at a time.

The traces are those of :mod:`smartos.zfs.arc.traces`, with its seeds; the caches are those of :mod:`smartos.zfs.arc.paper`, run
anew for each frame. The stepper draws the lists as the paper does, from the middle outwards: young pages of T1 and T2
meet there, ghosts lie at the ends, and p is marked where T1 would end if it had its target size.

Left out: ZFS's own changes to the algorithm, which :mod:`smartos.zfs.arc.zfs` has, and any trace from the paper.
"""

from collections.abc import Sequence
from functools import cache

from smartos.explore.kit.controls import Choice, Range
from smartos.explore.kit.explorer import Explorer, Stepper
from smartos.explore.kit.frame import Frame, Table
from smartos.explore.kit.svg import drawing, element, group, line, rect, text
from smartos.zfs.arc.paper import ARC, LRU
from smartos.zfs.arc.problems import shown, steps
from smartos.zfs.arc.traces import TRACES, habits

REQUESTS, EVERY, ROWS = 8000, 80, 10
SIZES = (64, 128, 192, 256, 320, 512)
WIDTH, LEFT, RIGHT = 440, 46, 352
TOP, BOTTOM = 98, 208

PLACES = 4
WALKS = {
    "both": ("ghosts of both kinds", "ABCDABECDAEF"),
    "scan": ("a scan passes", "ABABCDEFGHAB"),
    "loop": ("a loop of five pages", "ABCDEABCDEAB"),
}
CELL, MIDDLE, ROW = 32, 156, 122


@cache
def trace_of(name: str) -> tuple[int, ...]:
    """The first 8,000 requests of a named trace. Raises KeyError for a name that is not in TRACES."""
    return tuple(TRACES[name][1](REQUESTS))


@cache
def compared(trace: str, c: int) -> tuple[tuple[tuple[int, int, int], ...], tuple[float, ...], int]:
    """Hits so far, (requests, ARC's, LRU's), at ten points of the run; p after each request; how many found a ghost."""
    arc, lru = ARC(c), LRU(c)
    rows, targets = [], []
    for page in trace_of(trace):
        arc.request(page)
        lru.request(page)
        targets.append(arc.p)
        if len(targets) % (REQUESTS // ROWS) == 0:
            rows.append((len(targets), arc.hits, lru.hits))
    return tuple(rows), tuple(targets), sum(event.what == "ghost hit" for event in arc.log)


def frame(trace: str, c: int) -> Frame:
    """Both hit ratios on a trace with caches of `c` pages, and p over the run."""
    rows, targets, ghosts = compared(trace, c)
    _, arc, lru = rows[-1]
    name = TRACES[trace][0]
    low, high = min(targets), max(targets)
    swing = f"move p between {shown(low)} and {shown(high)} of {c}" if high > low else "leave p at 0"
    says = (
        f"{REQUESTS:,} requests, {name}: a cache of {c} pages answers {arc / REQUESTS:.1%} of them with ARC and "
        f"{lru / REQUESTS:.1%} with LRU. {ghosts:,} hits on ghosts {swing}."
    )
    step = REQUESTS // ROWS
    values = [
        (n, f"{a / n:.1%}", f"{b / n:.1%}", shown(min(targets[n - step : n])), shown(max(targets[n - step : n])))
        for n, a, b in rows
    ]
    table = Table(["Requests", "ARC", "LRU", "p, least", "p, most"], values, "Hits so far, and p since the row above")
    return Frame(_compared(trace, c, targets, arc / REQUESTS, lru / REQUESTS, says), says, table)


def explorer() -> Explorer:
    """A trace and a cache size; what ARC and LRU make of them."""
    return Explorer(
        "arc-lru", "ARC against LRU", frame,
        {
            "trace": Choice("Trace", [(key, title) for key, (title, _) in TRACES.items()]),
            "c": Range("Cache size", SIZES, "pages"),
        },
        default={"trace": "scan", "c": 192},
        keys=[{"trace": "zipf", "c": 64}, {"trace": "loop", "c": 256}, {"trace": "mixed", "c": 320}],
    )  # fmt: skip


def walk(trace: str) -> list[Frame]:
    """The frames of one short trace through ARC(4), the empty cache first."""
    requests = WALKS[trace][1]
    empty = {"n": 0, "page": "", "outcome": "", "left": [], "p": 0.0, **ARC(PLACES).lists()}
    empty["says"] = f"An empty cache of {PLACES} pages. T1 and T2 hold pages, B1 and B2 will hold names; p is 0."
    run = [empty, *steps(PLACES, requests)]
    return [_step(requests, run[: i + 1]) for i in range(len(run))]


def stepper() -> Stepper:
    """Twelve requests to a cache of four pages, one at a time."""
    choice = Choice("Requests", [(key, title) for key, (title, _) in WALKS.items()])
    return Stepper("arc-steps", "Twelve requests through the lists of ARC", walk, {"trace": choice}, at=9)


def _compared(trace: str, c: int, targets: Sequence[float], arc: float, lru: float, says: str) -> str:
    """Two bars for the ratios; below, p as a line between all for T2, at the bottom, and all for T1, at the top."""
    bars = []
    for y, name, ratio, colour in ((8, "ARC", arc, "zfs"), (36, "LRU", lru, "ink-2")):
        bars += [
            text(LEFT - 8, y + 15, name, anchor="end", size=14),
            rect(LEFT, y, RIGHT - LEFT, 20, stroke="rule"),
            rect(LEFT, y, (RIGHT - LEFT) * ratio, 20, colour, colour) if ratio else "",
            text(RIGHT + 8, y + 15, f"{ratio:.1%} hits", size=14),
        ]
    points = [0.0, *targets[EVERY - 1 :: EVERY]]
    across, up = (RIGHT - LEFT) / (len(points) - 1), (BOTTOM - TOP) / c
    path = "".join(f"{'L' if i else 'M'}{LEFT + across * i:.1f} {BOTTOM - up * p:.1f}" for i, p in enumerate(points))
    under = f"{path}L{RIGHT} {BOTTOM}L{LEFT} {BOTTOM}z"
    return drawing(
        WIDTH, 244, says, *bars,
        text(LEFT, TOP - 12, f"p, the target size of T1, ends at {shown(targets[-1])}", "accent"),
        line(LEFT, TOP, RIGHT, TOP, "rule"), line(LEFT, BOTTOM, RIGHT, BOTTOM, "rule"),
        element("path", d=under, fill="accent", opacity=0.12),
        element("path", d=path, fill="none", stroke="accent", stroke_width=1.5),
        text(LEFT - 8, TOP + 4, f"{c}", "ink-2", "end"), text(LEFT - 8, BOTTOM + 4, "0", "ink-2", "end"),
        text(RIGHT + 8, TOP + 4, "all for T1", "ink-2"), text(RIGHT + 8, BOTTOM + 4, "all for T2", "ink-2"),
        *_habits(trace),
    )  # fmt: skip


def _habits(trace: str) -> list[str]:
    """What the trace does meanwhile: a name under each long stretch, a tick under each scan."""
    found = habits(trace_of(trace))
    at = (RIGHT - LEFT) / REQUESTS
    if len(found) == 1:
        many = text(RIGHT, BOTTOM + 22, f"{REQUESTS:,} requests", "ink-2", "end")
        return [text(LEFT, BOTTOM + 22, TRACES[trace][0], "ink-2"), many]
    content = []
    scans = [(start, stop) for start, stop, name in found if name == "scan"]
    for start, stop, name in found:
        if not scans:
            middle = LEFT + at * (start + stop) / 2
            content.append(text(middle, BOTTOM + 22, name.split()[0], "ink-2", "middle"))
            content.append(line(LEFT + at * start, TOP, LEFT + at * start, BOTTOM + 8, "rule"))
    marks = "".join(f"M{LEFT + at * start:.1f} {BOTTOM + 8}h{at * (stop - start):.1f}" for start, stop in scans)
    if scans:
        content.append(text(RIGHT, BOTTOM + 30, f"{REQUESTS:,} requests", "ink-2", "end"))
        content.append(element("path", d=marks, stroke="ink-2", stroke_width=4))
        content.append(text(LEFT, BOTTOM + 30, f"{len(scans)} scans", "ink-2"))
    return content


def _step(requests: str, run: list[dict]) -> Frame:
    """One request: the trace so far, the lists, p."""
    now = run[-1]
    rows = [(name, " ".join(now[name]) or "nothing") for name in ARC.LISTS]
    table = Table(["List", "From LRU to MRU"], [*rows, ("p", shown(now["p"]))], f"After request {now['n']}")
    count = f"Request {now['n']}: " if now["n"] else ""
    says = f"{count}{now['says']}"
    return Frame(drawing(WIDTH, 188, says, *_asked(requests, run), *_lists(now)), says, table)


def _asked(requests: str, run: list[dict]) -> list[str]:
    """The trace as a row of letters, what became of each so far below it, and a frame around the present one."""
    content = []
    for i, page in enumerate(requests, 1):
        x = 44 + CELL * (i - 1)
        content.append(text(x, 24, page, "ink" if i < len(run) else "ink-2", "middle", 15))
        if i < len(run):
            hit = run[i]["outcome"] == "hit"
            content.append(text(x, 44, run[i]["outcome"], "zfs" if hit else "ink-2", "middle", 12))
        if i == len(run) - 1:
            content.append(rect(x - 14, 7, 28, 24, stroke="accent", stroke_width=2, rx=3))
    return content


def _lists(now: dict) -> list[str]:
    """Cells from the middle outwards: T1 and its ghosts to the left, T2 and its ghosts to the right."""
    content = [
        line(MIDDLE, ROW - 46, MIDDLE, ROW + 40, "ink-2"),
        text(MIDDLE - 8, ROW - 34, "seen once", "ink-2", "end"), text(MIDDLE + 8, ROW - 34, "seen again", "ink-2"),
    ]  # fmt: skip
    used = (len(now["T1"]) + len(now["B1"]), len(now["T2"]) + len(now["B2"]))
    free = [MIDDLE - CELL * (i + 0.5) for i in range(used[0], PLACES)]
    free += [MIDDLE + CELL * (i + 0.5) for i in range(used[1], 2 * PLACES - used[0])]
    places = "".join(f"M{x - 13:g} {ROW + 36}h26" for x in free)
    content.append(element("path", d=places, stroke="rule") if free else "")
    for way, cached, ghosts in ((-1, "T1", "B1"), (1, "T2", "B2")):
        for at, name in ((0, cached), (len(now[cached]), ghosts)):
            pages = now[name][::-1]
            for i, page in enumerate(pages, at):
                content.append(_cell(MIDDLE + way * CELL * (i + 0.5), page, name, now))
            if pages:
                middle = MIDDLE + way * CELL * (at + len(pages) / 2)
                content.append(text(middle, ROW - 12, name, "ink-2" if name == ghosts else "ink", "middle", 14))
    x = MIDDLE - CELL * now["p"]
    tip = f"M{x - 6:g} {ROW + 54}L{x:g} {ROW + 42}L{x + 6:g} {ROW + 54}z"
    return [
        *content, line(x, ROW - 2, x, ROW + 42, "accent", stroke_width=2.5), element("path", d=tip, fill="accent"),
        text(x + 10, ROW + 56, f"p = {shown(now['p'])}", "accent", size=14),
    ]  # fmt: skip


def _cell(x: float, page: str, name: str, now: dict) -> str:
    """A page of T1 in outline, one of T2 filled, a ghost dashed; thick edges for the requested and the evicted."""
    ghost, again = name in ("B1", "B2"), name == "T2"
    edge = "accent" if page == now["page"] else "ink-2" if ghost else "zfs"
    changed = page == now["page"] or page in now["left"]
    return group(
        rect(
            x - 13, ROW, 26, 36, "zfs" if again else "none", edge, stroke_width=3 if changed else 1.5, rx=3,
            stroke_dasharray="4 3" if ghost else None,
        ),
        text(x, ROW + 23, page, "paper" if again else "ink-2" if ghost else "ink", "middle", 15),
    )  # fmt: skip
