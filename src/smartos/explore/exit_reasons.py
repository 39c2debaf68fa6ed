"""Why one virtual CPU left its guest in one second, and what the leaving may have cost.

The counts are those of slide 26 (fact S6). The price of an exit is another machine's: SplitX measured the KVM of Linux
2.6.34, the version that was ported, on a Xeon of 2.93 GHz at 2,000 cycles of direct cost, and up to ten times that with
what follows from it (fact K3). So the share of a core is an order of magnitude (fact K4).

Left out: the cost of each reason by itself, which differs and was not obtained.
"""

from smartos import post
from smartos.explore.controls import Flag, Range
from smartos.explore.explorer import Explorer
from smartos.explore.frame import Frame, Table
from smartos.explore.svg import drawing, rect, text

CLOCK = 2_930_000_000
DIRECT = 2_000
COSTS = (DIRECT, 2 * DIRECT, 5 * DIRECT, 10 * DIRECT)
CPUID = "CPUID"
WIDTH, ROW = 150, 30


def counts() -> dict[str, int]:
    """Exits in the second by reason, most first; the constants' common beginning is dropped."""
    found = {str(r["reason"]).removeprefix("EXIT_REASON_"): int(r["count_per_second"]) for r in post.exit_reasons()}
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def share_of_core(exits: int, cycles: int = DIRECT) -> float:
    """What `exits` a second cost of one core of the measured Xeon, in percent; `cycles` is the price of one."""
    if cycles <= 0:
        raise ValueError(f"an exit cannot cost {cycles} cycles; give a positive number")
    return 100 * exits * cycles / CLOCK


def frame(cpuid: bool, cycles: int) -> Frame:
    """The reasons as bars, with CPUID or without it, and the price of all of them together."""
    found = {reason: n for reason, n in counts().items() if cpuid or reason != CPUID}
    total, most = sum(found.values()), max(found.values())
    price = f"At {cycles:,} cycles each they cost {share_of_core(total, cycles):.2f} % of a core of {CLOCK / 1e9:.2f} GHz"
    if cpuid:
        told = f"{found[CPUID]:,} of {total:,} exits in the second, {100 * found[CPUID] / total:.1f} %, are for CPUID."
    else:
        told = f"Without CPUID, {total:,} exits are left, and {next(iter(found))} leads with {most:,}."
    says = f"{told} {price}; the machines differ, so read it as an order of magnitude."
    content = []
    for i, (reason, n) in enumerate(found.items()):
        y = 4 + ROW * i
        content.append(text(186, y + 17, reason.lower().replace("_", " "), anchor="end"))
        content.append(rect(194, y, WIDTH * n / most, 22, "kvm", "none"))
        content.append(text(200 + WIDTH * n / most, y + 17, f"{n:,}"))
    table = Table(
        ["Reason", "Exits", "Share, %", "Share of a core, %"],
        [(r, n, round(100 * n / total, 2), round(share_of_core(n, cycles), 4)) for r, n in found.items()],
        f"Exits in one second, at {cycles:,} cycles each",
    )
    return Frame(drawing(400, 8 + ROW * len(found), says, *content), says, table)


def explorer() -> Explorer:
    """The second of slide 26, with CPUID or without, at a price that you choose."""
    return Explorer(
        "exit-reasons", "Exits of one virtual CPU in one second, by reason", frame,
        {"cpuid": Flag("With CPUID"), "cycles": Range("Price of one exit", COSTS, names=[f"{c:,} cycles" for c in COSTS])},
        default={"cpuid": True}, keys=[{"cpuid": False, "cycles": DIRECT}],
    )  # fmt: skip
