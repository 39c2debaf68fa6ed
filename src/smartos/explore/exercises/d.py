"""Small D programs from a seed: what an aggregation prints for a key, and what an expression of integers comes to.

Every key, and every wrong answer that has a reason, is what a D program printed. Left out: strings as values, and
several aggregations side by side.
"""

import random
from functools import cache

from smartos.explore.dtrace.watch import Watch
from smartos.explore.kit.frame import Table
from smartos.explore.kit.practice import Practice, Problem, unlike
from smartos.explore.kit.reply import Number

PROBE = "syscall::write:entry"
NAMES = ("qemu", "sshd", "node", "zfs", "httpd", "cron")
FUNCTIONS = ("count", "sum", "avg", "max", "min")
Event = tuple[str, int, int]  # execname, pid, arg2


def problem(seed: int) -> Problem:
    """An aggregation to work out, or an expression."""
    draw = random.Random(seed)
    return _expression(draw) if seed % 3 == 2 else _aggregation(draw)


# Aggregations


@cache
def printed(clause: str, events: tuple[Event, ...]) -> dict[str, int]:
    """What an aggregation with one key prints, key by key."""
    watch = Watch(f"{PROBE} {clause}", [PROBE])
    for name, pid, size in events:
        watch.fire(PROBE, 1, 0, size, execname=name, pid=pid)
    rows = [line.split() for line in watch.end().splitlines() if line.strip()]
    return {key: int(value) for key, value in rows}


def _passing(predicate: str, by: str, key: str, events: tuple[Event, ...]) -> list[int]:
    """Which events the predicate lets through to a key."""
    form = "%d %s" if by == "execname" else "%d %d"
    watch = Watch(f'{PROBE} {predicate}{{ printf("{form}\\n", arg3, {by}); }}', [PROBE], [("quiet", None)])
    for n, (name, pid, size) in enumerate(events):
        watch.fire(PROBE, 1, 0, size, n, execname=name, pid=pid)
    rows = [line.split() for line in watch.end().splitlines() if line.strip()]
    return [int(n) for n, found in rows if found == key]


def _events(draw: random.Random) -> tuple[Event, ...]:
    """Writes of three processes, two of which are the same program; some sizes recur."""
    first, second = draw.sample(NAMES, 2)
    who = [(first, draw.randrange(100, 400)), (first, draw.randrange(400, 700)), (second, draw.randrange(700, 999))]
    sizes = [draw.choice((64, 100, 200, 512, 1000, 1500, 4096)) for _ in range(4)]
    return tuple((*draw.choice(who), draw.choice(sizes) + draw.choice((0, 0, 1, 7))) for _ in range(draw.randrange(6, 9)))


def _aggregation(draw: random.Random) -> Problem:
    events = _events(draw)
    function, by = draw.choice(FUNCTIONS), draw.choice(("execname", "execname", "pid"))
    name, pid, limit = events[draw.randrange(len(events))]
    predicate = draw.choice(("", f"/arg2 > {limit}/ ", f"/arg2 >= {limit}/ ", f"/pid != {pid}/ "))

    text = _clause(predicate, function, by)
    rows = printed(text, events)
    if not rows:
        predicate, text = "", _clause("", function, by)
        rows = printed(text, events)
    asked = draw.choice(sorted(rows))
    key = rows[asked]
    slips = _wrong(asked, predicate, function, by, events)
    counted = [events[n] for n in _passing(predicate, by, asked, events)]
    what = {
        "count": "how many there are", "sum": "what their sizes add up to", "max": "the largest of their sizes",
        "min": "the smallest of their sizes", "avg": "their mean in whole numbers, cut off and not rounded",
    }[function]  # fmt: skip
    told = f"`{function}()` keeps {what}: {key}."
    passes = "every event" if not predicate else f"each event for which `{predicate.strip()[1:-1]}` holds"
    return Problem(
        f"A program traces `{PROBE}` with `{text}` What does it print for the key `{asked}`?", Number(), key,
        [
            f"The clause runs for {passes}. Of those, {len(counted)} ha{'s' if len(counted) == 1 else 've'} the key `{asked}`.",
            Table(["execname", "pid", "arg2"], counted, f"The events of {asked}", plain=["pid", "arg2"]), told,
        ],
        told, f"Take the events that pass the predicate and have the key `{asked}`; `{function}()` keeps {what}.",
        Table(["execname", "pid", "arg2"], events, "The probe fires, in this order", plain=["pid", "arg2"]).html(),
        slips=unlike(key, slips),
    )  # fmt: skip


def _clause(predicate: str, function: str, by: str) -> str:
    return f"{predicate}{{ @[{by}] = {function}({'' if function == 'count' else 'arg2'}); }}"


def _wrong(asked: str, predicate: str, function: str, by: str, events: tuple[Event, ...]) -> dict[object, str]:
    """Usual wrong answers, from the D programs that would print them."""
    slips: dict[object, str] = {}
    other = "sum" if function == "count" else "count"
    adds = "That adds up the sizes; `count()` counts the events."
    counts = f"That counts the events; `{function}()` looks at their sizes."
    slips[printed(_clause(predicate, other, by), events)[asked]] = adds if function == "count" else counts
    if function == "avg":
        rows = printed(_clause(predicate, "sum", by), events)[asked], printed(_clause(predicate, "count", by), events)[asked]
        slips[rows[0]] = "That is the sum. `avg()` divides it by how many there are."
        slips[rows[0] // rows[1] + 1] = "The kernel has no fractions: the mean is cut off, never rounded up."
    if predicate:
        everything = printed(_clause("", function, by), events)[asked]
        slips[everything] = "That takes all events. The predicate lets only some of them through."
        if "arg2 >" in predicate:
            turned = predicate.replace(">=", ">") if ">=" in predicate else predicate.replace(">", ">=")
            here = "is not" if ">=" not in predicate else "is"
            value = printed(_clause(turned, function, by), events).get(asked)
            if value is not None:
                slips[value] = f"Look at the limit itself: it {here} let through by `{predicate.strip()[1:-1]}`."
    return slips


# Integers

Kind = tuple[str, tuple[int, ...], str, dict[str, str]]  # expression, arguments, why, wrong expressions and what is wrong


@cache
def value(expression: str, args: tuple[int, ...] = ()) -> int:
    """What printf() prints of an expression with %d, at a probe with those arguments."""
    watch = Watch(f'{PROBE} {{ printf("%d", {expression}); }}', [PROBE], [("quiet", None)])
    watch.fire(PROBE, *args)
    return int(watch.end().split()[0])


def _expression(draw: random.Random) -> Problem:
    """An expression of one of the kinds below."""
    text, args, why, slips = draw.choice(KINDS)(draw)
    key = value(text, args)
    found = {value(wrong, args): words for wrong, words in slips.items()}
    given = "".join(f"arg{n} is {arg}{', and ' if n + 1 < len(args) else '. '}" for n, arg in enumerate(args))
    return Problem(
        f'{given}What does `printf("%d", {text})` print?', Number(), key, [why, f"dtrace prints {key}."],
        f"{why} So it prints {key}.", f"Take it step by step. {why}", slips=unlike(key, found),
    )  # fmt: skip


def _narrow(draw: random.Random) -> Kind:
    n = draw.randrange(128, 256) + 256 * draw.randrange(3)
    return (
        "(char)arg0", (n,), f"A `char` keeps the low 8 bits of {n}, and is signed here: its highest bit counts -128.",
        {"(unsigned char)arg0": "That would be an `unsigned char`.", "arg0": f"A `char` has a sign, and no room for {n}."},
    )  # fmt: skip


def _short(draw: random.Random) -> Kind:
    n = 65536 * draw.randrange(1, 4) + draw.choice((draw.randrange(1, 100), -draw.randrange(1, 100)))
    return (
        "(short)arg0", (n,), f"A `short` keeps the low 16 bits of {n}, as a signed number.",
        {"(unsigned short)arg0": "That would be an `unsigned short`.", "arg0": "That does not fit in 16 bits."},
    )  # fmt: skip


def _promote(draw: random.Random) -> Kind:
    return (
        "(unsigned char)arg0 + (unsigned char)arg1", (draw.randrange(150, 256), draw.randrange(110, 256)),
        "D takes the wider of the two types and does not widen to `int` first, as C does: the sum is an `unsigned char`.",
        {"arg0 + arg1": "In C it would be so, which makes an `int` of both sides first. D does not."},
    )  # fmt: skip


def _mixed(draw: random.Random) -> Kind:
    n = draw.randrange(128, 256)
    less = value("(char)arg0", (n,))
    return (
        "(char)arg0 < (unsigned char)arg1", (n, draw.randrange(1, 256)),
        f"Both sides have 8 bits, so the type without a sign wins: `(char)arg0` is {less}, and counts as a very large number.",
        {"(int)(char)arg0 < (int)(unsigned char)arg1": "In C it would be so, which makes an `int` of both sides first. D does not."},
    )  # fmt: skip


def _divide(draw: random.Random) -> Kind:
    a, b = draw.randrange(7, 60), draw.randrange(2, 7)
    a += a % b == 0
    return (
        f"-{a} / {b}", (), "Integer division cuts towards zero.",
        {f"-{a} / {b} - 1": "Division cuts towards zero, and does not round down.", f"{a} / {b}": "One side is negative."},
    )  # fmt: skip


def _remainder(draw: random.Random) -> Kind:
    a, b = draw.randrange(7, 60), draw.randrange(3, 8)
    a += a % b == 0
    return (
        f"-{a} % {b}", (), "The remainder has the sign of the left side, so that quotient and remainder fit together.",
        {
            f"{a} % {b}": "The remainder takes the sign of the left side.",
            f"-{a} % {b} + {b}": "That is the remainder of a division that rounds down.",
        },
    )  # fmt: skip


def _chain(draw: random.Random) -> Kind:
    c, b, a = sorted(draw.sample(range(1, 90), 3))
    return (
        f"{a} > {b} > {c}", (), f"Comparisons go from left to right: `{a} > {b}` is 1, and 1 is compared with {c}.",
        {f"{a} > {b} && {b} > {c}": "That is what it means on paper. In C the first comparison's result is compared."},
    )  # fmt: skip


def _mask(draw: random.Random) -> Kind:
    bit = 1 << draw.randrange(1, 6)
    n = bit + draw.randrange(2)
    return (
        f"{n} & {bit} == {bit}", (), f"`==` binds closer than `&`: `{bit} == {bit}` is 1, and `{n} & 1` is left.",
        {
            f"({n} & {bit}) == {bit}": "That needs brackets: `==` binds closer than `&`.",
            f"{n} & {bit}": "The comparison is not done yet.",
        },
    )  # fmt: skip


def _unsigned(draw: random.Random) -> Kind:
    n = draw.randrange(1, 50)
    return (
        f"-{n} < sizeof (int)", (), f"`sizeof` is unsigned and 64 bits wide, so -{n} becomes a very large number.",
        {f"-{n} < 4": "Between numbers with a sign that would be so. `sizeof` is unsigned."},
    )  # fmt: skip


def _left(draw: random.Random) -> Kind:
    a, b = draw.randrange(5, 40), draw.randrange(2, 5)
    a += a % b == 0
    return (
        f"{a} / {b} * {b}", (), "From left to right: the division comes first, and its fraction is gone.",
        {
            str(a): "The division cuts off a fraction before the multiplication.",
            f"{a} / ({b} * {b})": "`/` and `*` are done from left to right.",
        },
    )  # fmt: skip


KINDS = (_narrow, _short, _promote, _mixed, _divide, _remainder, _chain, _mask, _unsigned, _left)


def practice() -> Practice:
    """Aggregations and expressions, as many as there are seeds."""
    return Practice("d-practice", "Practice: what does D print?", problem)
