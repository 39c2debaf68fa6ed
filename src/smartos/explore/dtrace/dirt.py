"""Late is wrong: answers with a deadline, when one request now and then stalls the ones behind it.

One server answers requests in their order. Every answer takes the same short time, except a few that stall, as a read
does when the block is not in memory. The waiting time of the next request follows from that of the one before it
(Lindley's recursion). The word DIRT and what it means are Bryan Cantrill's (facts A3); the server is our illustration.

Left out: randomness (arrivals and stalls are regular, so that a state can be checked by hand), several servers,
requests that give up.
"""

from collections.abc import Collection
from dataclasses import dataclass

from smartos.explore.kit.controls import Choice, Range
from smartos.explore.kit.explorer import Explorer
from smartos.explore.kit.frame import Frame, Table
from smartos.explore.kit.svg import drawing, element, line, text

REQUESTS = 60
STALLED = (10, 40)
SERVICE = 2
WIDTH, HEIGHT, LEFT, BASE, TOP = 420, 232, 40, 196, 16
MOST = 96


@dataclass(frozen=True)
class Served:
    """One request, in milliseconds: when it came, and how long its asker waited for the answer."""

    arrived: int
    waited: int


def served(
    spacing: int, stall: int, requests: int = REQUESTS, stalled: Collection[int] = STALLED, service: int = SERVICE
) -> list[Served]:
    """Requests that come every `spacing` ms; the `stalled` among them take `stall` ms more than the others."""
    free, answers = 0, []
    for n in range(requests):
        arrived = n * spacing
        free = max(arrived, free) + service + (stall if n in stalled else 0)
        answers.append(Served(arrived, free - arrived))
    return answers


def late(answers: list[Served], deadline: int) -> int:
    """How many answers came after their deadline."""
    return sum(a.waited > deadline for a in answers)


def frame(spacing: int, stall: int, deadline: int) -> Frame:
    """Each request's wait against the deadline; a cross is an answer that came too late."""
    answers = served(spacing, stall)
    waits = sorted(a.waited for a in answers)
    missed = late(answers, deadline)
    mean = sum(waits) / len(waits)
    says = (
        f"{'Two requests stall' if stall else 'No request stalls'}; {missed} of {REQUESTS} answers come after "
        f"{deadline} ms. All {REQUESTS} are correct. The mean wait is {mean:.1f} ms, the longest {waits[-1]} ms."
    )
    rows = [
        ("answers", REQUESTS),
        ("correct", REQUESTS),
        ("in time", REQUESTS - missed),
        ("late", missed),
        ("stalled themselves", len(STALLED) if stall else 0),
        ("mean wait, ms", round(mean, 1)),
        ("longest wait, ms", waits[-1]),
    ]
    return Frame(_draw(answers, deadline, says), says, Table(["quantity", "value"], rows, "The run in numbers.", mixed=["value"]))


def _draw(answers: list[Served], deadline: int, says: str) -> str:
    scale, step = (BASE - TOP) / max(MOST, *(a.waited for a in answers)), (WIDTH - LEFT - 12) / REQUESTS
    place = [(LEFT + 4 + n * step, BASE - a.waited * scale, a.waited > deadline) for n, a in enumerate(answers)]
    dots = "".join(f"M{x:.1f} {y:.1f}h0" for x, y, bad in place if not bad)
    crosses = "".join(f"M{x - 2:.1f} {y - 2:.1f}l4 4m0-4l-4 4" for x, y, bad in place if bad)
    limit = BASE - deadline * scale
    marks = [text(LEFT - 6, BASE - ms * scale + 4, str(ms), "ink-2", "end") for ms in (0, 30, 60, 90)]
    return drawing(
        WIDTH, HEIGHT, says, *marks,
        line(LEFT, BASE, WIDTH, BASE, "rule"),
        line(LEFT, limit, WIDTH, limit, "accent", stroke_dasharray="5 4"),
        text(LEFT + 2, limit - 5, "deadline", "accent"),
        element("path", d=dots, stroke="ink", stroke_width="3.6", stroke_linecap="round", fill="none") if dots else "",
        element("path", d=crosses, stroke="accent", stroke_width="1.5", fill="none") if crosses else "",
        text(LEFT, HEIGHT - 8, f"{REQUESTS} requests in order; height is the wait in ms", "ink-2"),
    )  # fmt: skip


def explorer() -> Explorer:
    """How long a stall, how dense the requests, how strict the deadline."""
    return Explorer(
        "late-answers", "One stall, many late answers", frame,
        {
            "spacing": Range("A request every", [10, 6, 4, 3], "ms", between=(2, 20)),
            "stall": Range("Stall", [0, 20, 40, 60], "ms", between=(0, 200)),
            "deadline": Choice("Deadline", [(10, "10 ms"), (30, "30 ms"), (60, "60 ms")]),
        },
        default={"spacing": 4, "stall": 40, "deadline": 30},
        keys=[{"spacing": 10, "stall": 40, "deadline": 30}],
    )  # fmt: skip
