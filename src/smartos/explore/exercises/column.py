"""RAID-Z by hand, from a seed: rebuild a missing column, count a block's sectors, find its parity.

The keys are those of :mod:`smartos.zfs.vdev.raidz_map`: `reconstruct` gives the missing column, `psize_to_asize` the sectors,
`raidz_map` the disk. Columns have one or two bytes here instead of sectors; each byte of a column is computed alone, so
nothing is lost by that.

Left out: R, two missing data columns, and the change of places of P and the first data column in every second MiB.
"""

import random

from smartos.explore.kit.frame import Table
from smartos.explore.kit.practice import Practice, Problem, unlike
from smartos.explore.kit.reply import Hex, Number
from smartos.explore.kit.svg import drawing, rect, text
from smartos.zfs.vdev.galois import exp2, inverse, multiply
from smartos.zfs.vdev.raidz_map import generate, psize_to_asize, raidz_map, reconstruct

SECTOR = 9  # ashift
WIDTH, BOX, HIGH = 440, 78, 64
HALVING = " To halve a byte, XOR 0x11d into it if it is odd, and shift right."


def problem(seed: int) -> Problem:
    """A stripe with a missing column, or a question on where and how large a block is."""
    draw = random.Random(seed)
    return (_xor, _sectors, _with_q, _parity, _wide)[seed % 5](draw)


# A column from P


def _xor(draw: random.Random) -> Problem:
    return _from_p(draw, draw.choice([3, 4]), 1)


def _wide(draw: random.Random) -> Problem:
    return _from_p(draw, draw.choice([2, 3]), 2)


def _from_p(draw: random.Random, count: int, size: int) -> Problem:
    """RAID-Z1 without one data column."""
    data = [draw.randbytes(size) for _ in range(count)]
    columns = generate(data, 1) + data
    lost = draw.randrange(1, count + 1)
    names = ["P", *(f"D{n}" for n in range(count))]
    left = [None if n == lost else column for n, column in enumerate(columns)]
    key = _number(reconstruct(left, [size] * len(columns), 1)[lost])
    others = [_number(column) for n, column in enumerate(columns) if n != lost]
    data_alone = 0
    for other in others[1:]:
        data_alone ^= other
    limit = 1 << 8 * size
    slips = {
        others[0]: "That is P itself. The surviving data must be taken out of it.",
        sum(others) % limit: "That is a sum with carries. In RAID-Z adding is XOR: no bit touches its neighbour.",
        (others[0] - sum(others[1:])) % limit: "That is P minus the rest, with borrows. Subtracting is XOR too.",
        data_alone: "P is missing from that. The data that survive say nothing about the one that does not.",
    }
    rows = [(name, *_digits(column)) for name, column in zip(names, left, strict=True) if column]
    rows.append((names[lost], *_digits(key.to_bytes(size, "big"))))
    told = f"{names[lost]} = {' ⊕ '.join(name for n, name in enumerate(names) if n != lost)} = {key:0{2 * size}x}"
    return Problem(
        f"A raidz1 stripe of {len(columns)} disks has lost one. What was `{names[lost]}`, in hexadecimal?", Hex(), key,
        [
            "P is the XOR of all data columns, so the XOR of everything that survives is what is missing.",
            Table(["Column", "Hex", "Bits"], rows, "The survivors, and their XOR", plain=["Hex", "Bits"]), f"{told}.",
        ],
        f"{told}: P and the other data, bit by bit.", "XOR all that survives, P included, bit by bit.", _stripe(names, left),
        unlike(key, slips),
    )  # fmt: skip


# A column from Q


def _with_q(draw: random.Random) -> Problem:
    """RAID-Z2 without P and one data column: Q alone must do."""
    count = draw.choice([2, 3])
    data = [bytes([draw.randrange(1, 256)]) for _ in range(count)]
    columns = generate(data, 2) + data
    lost = draw.randrange(count)
    names = ["P", "Q", *(f"D{n}" for n in range(count))]
    left = [None if n in (0, lost + 2) else column for n, column in enumerate(columns)]
    key = reconstruct(left, [1] * len(columns), 2)[lost + 2][0]
    q, factor = columns[1][0], exp2(count - 1 - lost)
    rest, plain, rows = q, q, [("Q", f"{q:02x}", f"{q:08b}")]
    for n, column in enumerate(data):
        if n != lost:
            own = exp2(count - 1 - n)
            value = multiply(own, column[0])
            rest ^= value
            plain ^= column[0]
            rows.append((_term(own, n), f"{value:02x}", f"{value:08b}"))
    rows.append(("XOR of these", f"{rest:02x}", f"{rest:08b}"))
    formula = " ⊕ ".join(_term(exp2(count - 1 - n), n) for n in range(count))
    slips = {
        multiply(factor, rest): f"What is left of Q is {_term(factor, lost)}: divide it by {factor}, do not multiply.",
        rest >> factor.bit_length() - 1: "That is a plain shift. An odd byte takes 0x11d before each halving.",
        _unreduced(q, data, lost): "Some doubling there dropped the bit that falls out. The table has the right values.",
        plain: "That is how P is undone. In Q each column has a factor.",
        rest: f"Nearly: that is {_term(factor, lost)}. Divide it by {factor}.",
    }
    halved = f"; halved {'once' if factor == 2 else 'twice'}, D{lost} = {key:02x}" if factor > 1 else ""
    known = [column[0] for n, column in enumerate(data) if n != lost]
    helping = Table(
        ["x", "2·x", "4·x"], [tuple(f"{multiply(by, x):02x}" for by in (1, 2, 4)) for x in dict.fromkeys(known)],
        "The surviving data, doubled in GF(2⁸)", plain=["x", "2·x", "4·x"],
    )  # fmt: skip
    return Problem(
        f"This raidz2 stripe has lost `P` and `D{lost}`. `Q` = {formula}, in GF(2⁸). What was `D{lost}`, in hexadecimal?"
        f"{HALVING if factor > 1 else ''}",
        Hex(), key,
        [
            f"P is gone, so Q must do. Taken out of Q, each with its factor, the other columns leave {_term(factor, lost)}.",
            Table(["Term", "Hex", "Bits"], rows, "What is taken out of Q", plain=["Hex", "Bits"]),
            f"{_term(factor, lost)} = {rest:02x}{halved}.",
        ],
        f"Q without the other terms: {_term(factor, lost)} = {rest:02x}{halved}.",
        f"XOR the other columns, with their factors, out of Q; what is left is {_term(factor, lost)}.",
        _stripe(names, left) + helping.html(), unlike(key, slips),
    )  # fmt: skip


def _term(factor: int, n: int) -> str:
    return f"D{n}" if factor == 1 else f"{factor}·D{n}"


def _unreduced(q: int, data: list[bytes], lost: int) -> int:
    """What comes out when doubling forgets the polynomial."""
    count, total = len(data), q
    for n, column in enumerate(data):
        if n != lost:
            total ^= column[0] << count - 1 - n & 0xFF
    return multiply(total, inverse(exp2(count - 1 - lost)))


# Sectors and disks


def _sectors(draw: random.Random) -> Problem:
    """How much a block takes."""
    nparity = draw.choice([1, 1, 2, 2, 3])
    disks, data = draw.randrange(nparity + 2, nparity + 6), draw.randrange(1, 13)
    key = psize_to_asize(data << SECTOR, SECTOR, disks, nparity) >> SECTOR
    rows = -(-data // (disks - nparity))
    bare = data + rows * nparity
    slips = {
        data: "Those are the data alone, without parity.",
        data + nparity: f"Every row has its own parity, and these data fill {rows} rows.",
        disks * rows: "Nothing fills the last row up: it is as wide as what is left of the block.",
        bare: f"Data and parity are right. But space comes in multiples of {nparity + 1}, so that any gap holds a block.",
    }
    whole, full = "sector" if data == 1 else "sectors", "row" if rows == 1 else "rows"
    up = f"rounded up to a multiple of {nparity + 1}: {key}" if key != bare else f"already a multiple of {nparity + 1}"
    return Problem(
        f"How many sectors does a block of {data} {whole} take on a raidz{nparity} of {disks} disks?",
        Number("sectors"), key,
        [
            f"A row holds {disks - nparity} data sectors beside {nparity} of parity, so {data} need {rows} {full}.",
            f"{data} + {rows} × {nparity} = {bare}, {up}.",
        ],
        f"{data} of data, {rows * nparity} of parity, {key - bare} skipped.",
        f"Data, plus {nparity} of parity for each row begun, rounded up to a multiple of {nparity + 1}.",
        slips=unlike(key, slips),
    )  # fmt: skip


def _parity(draw: random.Random) -> Problem:
    """Which disk has a block's parity."""
    nparity = draw.choice([1, 2])
    disks, data = draw.randrange(nparity + 3, nparity + 6), draw.randrange(2, 6)
    first = (nparity + 1) * draw.randrange(4, 90)
    row, disk = divmod(first, disks)
    where = raidz_map(first << SECTOR, data << SECTOR, SECTOR, disks, nparity)
    which = draw.randrange(nparity + 1)
    name, key = [*"PQ"[:nparity], "first data"][which], where.columns[which].devidx
    slips = {
        disks - 1: "RAID-Z has no parity disk: parity goes where the block begins.",
        row: "That is the row. The disk is the remainder.", disk: "That disk has P, which comes first.",
    }
    end = f"its {name} column is {which} further, on disk {key}" if which else f"P is on disk {key}"
    return Problem(
        f"A block of {data} sectors begins at sector {first} of a raidz{nparity} of {disks} disks; sectors are counted row "
        f"by row, from disk 0. On which disk is its {name} column?", Number(), key,
        [
            f"{first} = {row} × {disks} + {disk}: the block begins in row {row}, on disk {disk}.",
            f"Its columns follow from there, round to disk 0: parity first, then data. So {end}.",
        ],
        f"Sector {first} is on disk {disk}, and there the columns begin: {end}.",
        "Divide the sector by the number of disks: the remainder is where P is, and the other columns follow.",
        slips=unlike(key, slips),
    )  # fmt: skip


# The stripe


def _number(column: bytes) -> int:
    return int.from_bytes(column, "big")


def _digits(column: bytes) -> tuple[str, str]:
    return column.hex(), " ".join(f"{byte:08b}" for byte in column)


def _stripe(names: list[str], columns: list[bytes | None]) -> str:
    """The columns as boxes; what is missing is dashed."""
    parts = []
    for n, (name, column) in enumerate(zip(names, columns, strict=True)):
        x, middle = 2 + n * (BOX + 8), 2 + n * (BOX + 8) + BOX / 2
        look = {"stroke": "zfs"} if column else {"stroke": "accent", "stroke_dasharray": "4 3"}
        tint = {"fill_opacity": "0.14"} if name in "PQ" and column else {"fill_opacity": "0"}
        parts.append(rect(x, 2, BOX, HIGH, "zfs", stroke_width=1.5, rx=4, **look, **tint))
        parts.append(text(middle, 23, name, "ink-2", "middle"))
        words = column.hex(" ") if column else "lost"
        mono = {"font_family": "var(--mono, monospace)"} if column else {}
        colour, size = ("ink", 18) if column else ("accent", 14)
        parts.append(text(middle, 50, words, colour, "middle", size, **mono))
    held = ", ".join(f"{name} {column.hex() if column else 'lost'}" for name, column in zip(names, columns, strict=True))
    return drawing(WIDTH, HIGH + 4, f"The stripe: {held}.", *parts)


def practice() -> Practice:
    """RAID-Z to work by hand, as often as there are seeds."""
    return Practice("column-practice", "Practice: RAID-Z by hand", problem, range(40))
