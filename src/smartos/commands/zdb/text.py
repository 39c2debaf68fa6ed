"""How zdb writes things: histograms, name-value lists and block pointers.

Left out: the headers of blocks under zstd. Follows `zutil_nicenum.c`, `libnvpair.c`, `spa.h` (`SNPRINTF_BLKPTR`) and
`zdb.c` of OpenZFS 2.1; checksums have sixteen digits, as Debian's build of it prints them.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from smartos.commands.text import nicenum
from smartos.zfs.format import nvlist
from smartos.zfs.format import types as dmu
from smartos.zfs.format.blkptr import Blkptr
from smartos.zfs.read.pool import Pool

STARS = 40  # the width of a histogram's longest bar
_QUOTED = (nvlist.STRING, nvlist.STRING_ARRAY)
_ARRAYS = frozenset(
    (
        nvlist.BYTE_ARRAY, nvlist.INT16_ARRAY, nvlist.UINT16_ARRAY, nvlist.INT32_ARRAY, nvlist.UINT32_ARRAY,
        nvlist.INT64_ARRAY, nvlist.UINT64_ARRAY, nvlist.STRING_ARRAY, nvlist.INT8_ARRAY, nvlist.UINT8_ARRAY,
    )
)  # fmt: skip
_UNPRINTED = (nvlist.HRTIME, nvlist.BOOLEAN_ARRAY, nvlist.DOUBLE)


@dataclass
class Dump:
    """One run of zdb on a pool: how often each option letter was given, what was said so far, and the exit status."""

    pool: Pool
    opt: Counter = field(default_factory=Counter)
    lines: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    status: int = 0
    referenced: set[int] = field(default_factory=set)  # objects of the MOS that something led to

    def say(self, line: str = "") -> None:
        """Print a line."""
        self.lines.append(line)

    def nice(self, number: int) -> str:
        """A size as the run writes sizes: short, or with -P all its digits."""
        return str(number) if self.opt["P"] else nicenum(number)

    def compact(self, pointer: Blkptr, freed: bool = False) -> str:
        """A pointer in the short notation, or with -bbbbbb in the long one; -dddddd shows all its addresses."""
        if self.opt["b"] >= 6:
            return blkptr_text(pointer) + (" FREE" if freed else "")
        return compact(pointer, self.opt["d"] > 5, freed)


def histogram(counts: Sequence[int], offset: int = 0) -> Iterator[str]:
    """The lines of a histogram from its first to its last count that is not 0."""
    used = [at for at, count in enumerate(counts) if count]
    most = max([*counts, STARS])
    for at in range(used[0], used[-1] + 1) if used else ():
        stars = "*" * (STARS - (most - counts[at]) * STARS // most)
        yield f"\t\t\t{at + offset:3}: {counts[at]:6} {stars}"


def nvlist_lines(values: Mapping, indent: int = 0) -> Iterator[str]:
    """A name-value list, a name a line, lists within it further in."""
    pad, values = " " * indent, values if isinstance(values, nvlist.NVList) else nvlist.NVList(values)
    for name, value in values.items():
        kind = values.kind(name)
        if kind == nvlist.BOOLEAN:
            yield f"{pad}{name}"
        elif kind == nvlist.BOOLEAN_VALUE:
            yield f"{pad}{name}: {'true' if value else 'false'}"
        elif kind == nvlist.NVLIST:
            yield f"{pad}{name}:"
            yield from nvlist_lines(value, indent + 4)
        elif kind == nvlist.NVLIST_ARRAY:
            for index, each in enumerate(value):
                yield f"{pad}{name}[{index}]:"
                yield from nvlist_lines(each, indent + 4)
        elif kind in _UNPRINTED:
            yield f"{pad}bad config type {kind} for {name}"
        elif kind in _ARRAYS:
            for index, each in enumerate(value):
                yield f"{pad}{name}[{index}]: {_quoted(kind, each)}"
        else:
            yield f"{pad}{name}: {_quoted(kind, value)}"


def _quoted(kind: int, value: object) -> str:
    return f"'{value}'" if kind in _QUOTED else str(value)


def fill_of(pointer: Blkptr) -> int:
    """What a pointer counts below it; an encrypted one keeps other bits in the upper half of the field."""
    if pointer.hole:
        return 0
    return pointer.fill & 0xFFFFFFFF if _encrypted(pointer) else pointer.fill


def _encrypted(pointer: Blkptr) -> bool:
    return pointer.crypt and not pointer.level and dmu.is_encrypted(pointer.type)


def blkptr_text(pointer: Blkptr) -> str:
    """A pointer in the long notation; an encrypted one with its salt and its initialization vector."""
    text = pointer.describe(openzfs=True)
    if pointer.hole or pointer.embedded or not _encrypted(pointer):
        return text
    salt, first = pointer.dvas[2].words() if len(pointer.dvas) > 2 else (0, 0)
    addresses, _, rest = text.partition(" [")
    rest = rest.replace(f" fill={pointer.fill} ", f" fill={fill_of(pointer)} ")
    return f"{addresses} salt={salt:x} iv={first:x}:{pointer.fill >> 32:x} [{rest}"


def compact(pointer: Blkptr, every: bool = False, freed: bool = False) -> str:
    """A pointer as `zdb -ddddd` lists it: one address (`every` for all), sizes, fill, births, checksum."""
    if pointer.embedded:
        return f"EMBEDDED et={pointer.etype} {pointer.lsize:x}L/{pointer.psize:x}P B={pointer.birth}"
    copies = pointer.copies if every else pointer.dvas[:1]
    if pointer.hole:
        return f"{'' if every else '0:0:0 '}{pointer.lsize:x}L B={pointer.birth}"
    where = "".join(f"{dva.vdev}:{dva.offset:x}:{dva.asize:x} " for dva in copies)
    births = f"B={pointer.birth}/{pointer.physical_birth or pointer.birth}{' FREE' if freed else ''}"
    sums = ":".join(f"{word:016x}" for word in pointer.cksum)
    return f"{where}{pointer.lsize:x}L/{pointer.psize:x}P F={fill_of(pointer)} {births} cksum={sums}"


_SWAPS = ("uint8", "uint16", "uint32", "uint64", "zap", "dnode", "objset", "znode", "oldacl", "acl")


def type_text(kind: int) -> str:
    """An object type's name in a table of objects; the newer types are named by how they are swapped."""
    if kind & dmu.NEWTYPE:
        swap = kind & dmu.BYTESWAP_MASK
        return _SWAPS[swap] if swap < len(_SWAPS) else "UNKNOWN"
    return dmu.TYPES[kind] if kind < len(dmu.TYPES) else "UNKNOWN"
