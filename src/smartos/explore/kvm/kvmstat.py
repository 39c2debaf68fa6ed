"""One second of kvmstat on two guests: six virtual CPUs, nine counters each.

The numbers are those of slide 24, which the README of illumos-kvm prints too (fact S8): an idle Linux with two virtual
CPUs (process 4668) and a booting SmartOS with four (process 5026). The meanings are kvmstat's own, in other words.

Left out: the seconds before and after; nobody printed them.
"""

from smartos import post
from smartos.explore.kit.controls import Choice
from smartos.explore.kit.explorer import Explorer
from smartos.explore.kit.frame import Frame, Table
from smartos.explore.kit.svg import drawing, rect, text

CAUSES = ("haltx", "irqx", "irqwx", "iox", "mmiox")
MEANING = {
    "exits": "exits of any cause",
    "haltx": "exits because the guest halted its CPU with HLT",
    "irqx": "exits because an interrupt for the host was pending",
    "irqwx": "exits because the guest became ready to take an interrupt",
    "iox": "exits because of an I/O instruction",
    "mmiox": "exits because of memory-mapped I/O",
    "irqs": "interrupts injected into the guest",
    "emul": "instructions emulated in the kernel",
    "eptv": "faults of the extended page table that KVM repaired",
}
GUESTS = {0: "both guests", 4668: "4668, idle Linux", 5026: "5026, booting SmartOS"}
LEFT, WIDTH, ROW = 72, 210, 34


def rows_of(guest: int = 0) -> list[dict[str, object]]:
    """One row a virtual CPU; `guest` 0 is both. Raises ValueError for a process that is not in the sample."""
    if guest not in GUESTS:
        raise ValueError(f"no guest runs as process {guest}; there are {', '.join(str(g) for g in GUESTS if g)}")
    return [row for row in post.kvmstat() if guest in (0, row["pid"])]


def name_of(row: dict[str, object]) -> str:
    """A virtual CPU by its process and its number."""
    return f"{row['pid']}/{row['vcpu']}"


def named(row: dict[str, object]) -> int:
    """How many of a virtual CPU's exits the five listed causes account for."""
    return sum(int(row[cause]) for cause in CAUSES)


def explained(row: dict[str, object]) -> float:
    """The share of the exits that has a listed cause, from 0 to 1."""
    return named(row) / int(row["exits"])


def drawn(bars: list[tuple[str, int, int, str]], label: str) -> str:
    """A bar a virtual CPU: (its name, the whole, the filled part, the words at the end)."""
    most = max(whole for _, whole, _, _ in bars) or 1
    content = [text(LEFT - 8, 16, "pid/vcpu", "ink-2", "end", 14)]
    for i, (name, whole, part, words) in enumerate(bars):
        y = 26 + ROW * i
        length = WIDTH * whole / most
        content.append(text(LEFT - 8, y + 17, name, anchor="end", size=14))
        content.append(rect(LEFT, y, length, 22, "none", "kvm", stroke_width=1.5))
        content.append(rect(LEFT, y, WIDTH * part / most, 22, "kvm", "kvm"))
        content.append(text(LEFT + length + 7, y + 17, words, size=14))
    return drawing(400, 30 + ROW * len(bars), label, *content)


def causes_frame(guest: int) -> Frame:
    """How much of the exits the five causes explain."""
    found = rows_of(guest)
    shares = [explained(row) for row in found]
    ends = [f"{int(row['exits']):,} · {share:.0%}" for row, share in zip(found, shares, strict=True)]
    bars = [(name_of(r), int(r["exits"]), named(r), end) for r, end in zip(found, ends, strict=True)]
    idle = " The two bars of the idle guest are too short to see beside the others." if guest == 0 else ""
    says = (
        f"{sum(int(row['exits']) for row in found):,} exits in the second. The filled part of each bar has one of the "
        f"five listed causes, {min(shares):.0%} to {max(shares):.0%} of it; the rest has no column of its own.{idle}"
    )
    values = [(name_of(r), r["exits"], *(r[c] for c in CAUSES), named(r), f"{explained(r):.1%}") for r in found]
    table = Table(["pid/vcpu", "exits", *CAUSES, "listed", "share"], values, "Exits a second by listed cause")
    return Frame(drawn(bars, says), says, table)


def frame(guest: int, metric: str) -> Frame:
    """One counter, or `causes` for how much of the exits the five causes explain."""
    if metric == "causes":
        return causes_frame(guest)
    found = rows_of(guest)
    values = [int(r[metric]) for r in found]
    bars = [(name_of(r), value, value, f"{value:,}") for r, value in zip(found, values, strict=True)]
    low, high = min(values), max(values)
    many = f"{low:,} to {high:,}" if low < high else f"{low:,}"
    says = f"{metric} counts {MEANING[metric]}: {many} a second on each virtual CPU."
    table = Table(["pid/vcpu", f"{metric} a second"], [b[:2] for b in bars], f"{metric}: {MEANING[metric]}")
    return Frame(drawn(bars, says), says, table)


def explorer() -> Explorer:
    """The sample, one counter at a time, beginning with how much of the exits is explained."""
    return Explorer(
        "kvmstat", "One second of kvmstat", frame,
        {
            "guest": Choice("Guest", list(GUESTS.items())),
            "metric": Choice("Counter", [("causes", "exits with a listed cause"), *MEANING.items()]),
        },
        default={"guest": 5026}, keys=[{"metric": "exits", "guest": 0}],
    )  # fmt: skip
