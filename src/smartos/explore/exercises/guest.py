"""Small guests from a seed: what the monitor sees of them, what they print, what they leave in a register.

A guest is a few of nine instructions, and :func:`walk` follows them as the processor would; a test runs the same guests
on the engines of :mod:`smartos.kvm` and compares. The devices are that module's: 0x3f8 prints, 0x3fd reads as 0x60,
0x80 ignores what it is given.

Left out: memory, flags, anything that a guest could do wrong.
"""

import random
from dataclasses import dataclass
from html import escape

from smartos.explore.kit.frame import Table
from smartos.explore.kit.practice import Practice, Problem, unlike
from smartos.explore.kit.reply import Hex, Number, Text
from smartos.kvm import Guest
from smartos.kvm.devices import EMPTY, IGNORED, LINE_STATUS, SERIAL
from smartos.kvm.guests import ORIGIN

READY = SERIAL + LINE_STATUS
CODES = {
    "mov dx": "ba{lo}{hi}", "mov cx": "b9{lo}{hi}", "mov al": "b0{lo}", "add al": "04{lo}", "inc al": "fec0",
    "out": "ee", "in": "ec", "loop": "e2{lo}", "hlt": "f4",
}  # fmt: skip
WORDS = {"inc al": "inc al", "out": "out dx, al", "in": "in al, dx", "hlt": "hlt"}
HINT = f"Port {SERIAL:#x} prints, port {READY:#x} reads as {EMPTY:#x}, port {IGNORED:#x} ignores what it is given."


@dataclass(frozen=True)
class Instruction:
    """One instruction; `value` is its operand, and for `loop` the place in the list that it goes back to."""

    name: str
    value: int = 0


@dataclass(frozen=True)
class Step:
    """One instruction as it was executed, the registers after it, and what the monitor sees of it."""

    source: str
    al: int
    cx: int
    exit: str = ""
    printed: str = ""


def program(seed: int) -> list[Instruction]:
    """The guest of a seed: two or three pieces that print, read or knock, in some order, and a halt."""
    draw = random.Random(seed)
    pieces = draw.sample([_letter, _run, _status, _knock], draw.choice([2, 3]))
    if not {_letter, _run} & set(pieces[:1]):
        pieces.insert(0, draw.choice([_letter, _run]))
    code: list[Instruction] = []
    for piece in pieces:
        code += piece(draw, len(code))
    return [*code, Instruction("hlt")]


def _letter(draw: random.Random, start: int) -> list[Instruction]:
    """Print one capital."""
    letter = draw.randrange(ord("A"), ord("S"))
    return [Instruction("mov dx", SERIAL), Instruction("mov al", letter), Instruction("out")]


def _run(draw: random.Random, start: int) -> list[Instruction]:
    """Print a few letters in a loop."""
    first, count = draw.randrange(ord("a"), ord("n")), draw.randrange(2, 6)
    head = [Instruction("mov dx", SERIAL), Instruction("mov al", first), Instruction("mov cx", count)]
    return [*head, Instruction("out"), Instruction("inc al"), Instruction("loop", start + 3)]


def _status(draw: random.Random, start: int) -> list[Instruction]:
    """Read the serial port's line status, and print it with something added."""
    code = [Instruction("mov dx", READY), Instruction("in"), Instruction("add al", draw.randrange(1, 20))]
    return [*code, Instruction("mov dx", SERIAL), Instruction("out")]


def _knock(draw: random.Random, start: int) -> list[Instruction]:
    """Write to the port that ignores, once or twice."""
    return [Instruction("mov dx", IGNORED), *[Instruction("out")] * draw.choice([1, 2])]


def sizes(code: list[Instruction]) -> list[int]:
    """Where each instruction begins, counted from the first, and the end."""
    places = [0]
    for one in code:
        places.append(places[-1] + len(CODES[one.name].format(lo="00", hi="00")) // 2)
    return places


def assembled(code: list[Instruction]) -> Guest:
    """The program as a guest with its listing."""
    places, lines = sizes(code), []
    for i, one in enumerate(code):
        value = (places[one.value] - places[i + 1]) % 256 if one.name == "loop" else one.value
        text = CODES[one.name].format(lo=f"{value % 256:02x}", hi=f"{value // 256:02x}")
        lines.append(f"{ORIGIN + places[i]:04x}  {text:<6}  {source(code, i)}")
    return Guest("practice", "\n".join(lines))


def source(code: list[Instruction], at: int) -> str:
    """The assembly of one instruction."""
    one = code[at]
    if one.name in WORDS:
        return WORDS[one.name]
    if one.name == "loop":
        return f"loop {ORIGIN + sizes(code)[one.value]:#x}"
    return f"{one.name}, {one.value if one.name in ('mov cx', 'add al') else hex(one.value)}"


def walk(code: list[Instruction]) -> list[Step]:
    """What the processor does with a program, instruction by instruction, to its halt."""
    al = cx = dx = at = 0
    steps = []
    while True:
        one, text, exit, printed = code[at], source(code, at), "", ""
        at += 1
        if one.name == "mov dx":
            dx = one.value
        elif one.name == "mov cx":
            cx = one.value
        elif one.name in ("mov al", "add al", "inc al"):
            al = {"mov al": one.value, "add al": al + one.value, "inc al": al + 1}[one.name] % 256
        elif one.name == "loop":
            cx -= 1
            at = one.value if cx else at
        elif one.name == "out":
            exit, printed = f"out to {dx:#x}", chr(al) if dx == SERIAL else ""
        elif one.name == "in":
            exit, al = f"in from {dx:#x}", EMPTY if dx == READY else 0
        else:
            return [*steps, Step(text, al, cx, "halt")]
        steps.append(Step(text, al, cx, exit, printed))


def exits(steps: list[Step]) -> int:
    """How often the monitor is called."""
    return sum(bool(step.exit) for step in steps)


def printed(steps: list[Step]) -> str:
    """What reaches the serial port."""
    return "".join(step.printed for step in steps)


def problem(seed: int) -> Problem:
    """A guest, and one of three questions about it."""
    code = program(seed)
    steps = walk(code)
    listing = f'<pre class="listing">{escape(assembled(code).listing)}</pre>'
    rows = [(n, s.source, f"{s.al:#04x}", s.cx, s.exit or "none", s.printed) for n, s in enumerate(steps, 1)]
    table = Table(["Step", "Instruction", "al", "cx", "Exit", "Printed"], rows, f"The guest of seed {seed}, step by step")
    return (_how_many, _what, _left)[seed % 3](code, steps, listing, table)


def _how_many(code: list[Instruction], steps: list[Step], listing: str, table: Table) -> Problem:
    key, letters = exits(steps), len(printed(steps))
    slips = {
        len(code): "That is how many instructions the listing has. Most of them stay inside the guest.",
        len(steps): "That is how many instructions are executed. Most of them stay inside the guest.",
        key - 1: "One is missing: the halt leaves the guest too.",
        letters: "That is how many characters are printed. The monitor sees the halt too, and whatever prints nothing.",
    }
    return Problem(
        f"How many exits does the monitor see? {HINT}", Number(), key,
        [table, f"Only `in`, `out` and `hlt` leave the guest, each time that they are executed: {key} exits."],
        f"{key} times an `in`, an `out` or the `hlt` is executed; nothing else leaves the guest.",
        "Count each `in`, each `out` and the `hlt`, as often as it is executed.",
        listing, unlike(key, slips),
    )  # fmt: skip


def _what(code: list[Instruction], steps: list[Step], listing: str, table: Table) -> Problem:
    key = printed(steps)
    everything = "".join(chr(step.al) for step in steps if step.exit.startswith("out"))
    slips = {everything: "That is all that is written to a port, and one of the ports does not print."}
    return Problem(
        f"What does the guest print? {HINT}", Text(), key,
        [table, f"What `out` writes to {SERIAL:#x} is printed: {key}."],
        f"Each `out` to {SERIAL:#x} prints the character in `al`.",
        f"Follow `al`, and print it at each `out` while `dx` is {SERIAL:#x}. Capitals and small letters differ.",
        listing, unlike(key, slips),
    )  # fmt: skip


def _left(code: list[Instruction], steps: list[Step], listing: str, table: Table) -> Problem:
    key = steps[-1].al
    slips = {ord(printed(steps)[-1]): "That is the last character printed; `al` has changed since."}
    if any(step.exit.startswith("in") for step in steps):
        slips[EMPTY] = f"That is what {READY:#x} reads as; `al` has changed since."
    return Problem(
        f"What is in `al` when the guest halts? {HINT}", Hex(), key,
        [table, f"The last instruction that changes `al` leaves {key:#x} there."],
        "An `out` does not change `al`; `mov`, `in`, `add` and `inc` do.",
        "Follow `al` from the top; an `out` leaves it as it is, and a loop comes by several times.",
        listing, unlike(key, slips),
    )  # fmt: skip


def practice() -> Practice:
    """Guests to read, as many as there are seeds."""
    return Practice("guest-practice", "Practice: a guest to read", problem)
