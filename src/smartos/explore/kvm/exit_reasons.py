"""Why one virtual CPU left its guest in one second, and what the leaving may have cost.

The counts are those of slide 26 (fact S6). The price of an exit is another machine's: SplitX measured the KVM of Linux
2.6.34, the version that was ported, on a Xeon of 2.93 GHz at 2,000 cycles of direct cost, and says that the indirect and
synchronous cost can in certain cases be ten times as high (facts K3 and K7). So the share of a core is an order of magnitude (fact K4).

Left out: the cost of each reason by itself, which differs and was not obtained.
"""

from smartos import post
from smartos.explore.kit.controls import Choice, Flag
from smartos.explore.kit.explorer import Explorer
from smartos.explore.kit.frame import Frame, Table
from smartos.explore.kit.svg import drawing, rect, text

CLOCK = 2_930_000_000
DIRECT = 2_000
MEASURES = {
    "count": "how many",
    "direct": "their direct cost, 2,000 cycles each",
    "tenfold": "ten times that, as certain cases have",
}
CYCLES = {"direct": DIRECT, "tenfold": 10 * DIRECT}
CPUID = "CPUID"
WIDTH, ROW = 170, 30


def counts() -> dict[str, int]:
    """Exits in the second by reason, most first; the constants' common beginning is dropped."""
    found = {str(r["reason"]).removeprefix("EXIT_REASON_"): int(r["count_per_second"]) for r in post.exit_reasons()}
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def cost(exits: int, cycles: int = DIRECT) -> float:
    """What `exits` a second cost of one core of the measured Xeon, 1 for all of it; `cycles` is the price of one."""
    if cycles <= 0:
        raise ValueError(f"an exit cannot cost {cycles} cycles; give a positive number")
    return exits * cycles / CLOCK


def told(measure: str, found: dict[str, int]) -> str:
    """The sentence of a state: who leads, or what all of it costs."""
    total, leader = sum(found.values()), next(iter(found))
    if measure == "count":
        return f"{leader} is the reason of {found[leader]:,} of {total:,} exits, {found[leader] / total:.1%}."
    cycles = CYCLES[measure]
    return (
        f"{total:,} exits at {cycles:,} cycles each take {cost(total, cycles):.2%} of a core of {CLOCK / 1e9:.2f} GHz. "
        "The count and the price come from different machines, so this is an order of magnitude."
    )


def frame(measure: str, cpuid: bool) -> Frame:
    """The reasons as bars, with CPUID or without it: how many, or what they cost of a core."""
    found = {reason: n for reason, n in counts().items() if cpuid or reason != CPUID}
    most = max(found.values())
    says, cycles = told(measure, found), CYCLES.get(measure, DIRECT)
    content = []
    for i, (reason, n) in enumerate(found.items()):
        y, length = 4 + ROW * i, WIDTH * n / most
        end = f"{n:,}" if measure == "count" else f"{cost(n, cycles):.3%}"
        content.append(text(152, y + 17, reason.lower().replace("_", " "), anchor="end", size=14))
        content.append(rect(160, y, length, 22, "kvm", "none"))
        content.append(text(166 + length, y + 17, end, size=14))
    total = sum(found.values())
    rows = [(r, n, f"{n / total:.1%}", f"{cost(n, cycles):.4%}") for r, n in found.items()]
    table = Table(["Reason", "Exits", "Share", "Of a core"], rows, f"Exits in one second, at {cycles:,} cycles each")
    return Frame(drawing(400, 8 + ROW * len(found), says, *content), says, table)


def explorer() -> Explorer:
    """The second of slide 26, with CPUID or without, counted or priced."""
    return Explorer(
        "exit-reasons", "Exits of one virtual CPU in one second, by reason", frame,
        {"measure": Choice("Bars show", list(MEASURES.items())), "cpuid": Flag("With CPUID")},
        default={"cpuid": True},
        keys=[{"measure": "count", "cpuid": False}, {"measure": "direct", "cpuid": True}],
    )  # fmt: skip
