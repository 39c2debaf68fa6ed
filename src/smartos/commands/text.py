"""How the tools read and write: options, numbers with units, dates, columns.

Left out: other languages than English. Follows `libzfs_util.c` (`zfs_nicenum`), getopt(3C) and
strftime(3C) of illumos as of 12 August 2011.
"""

import getopt
import time
from collections.abc import Mapping, Sequence

from smartos.output import CommandError

DAYS, MONTHS = "Mon Tue Wed Thu Fri Sat Sun".split(), "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
UNITS = " KMGTPE"


class Usage:
    """A command's synopses by subcommand, and the failure that shows them."""

    def __init__(self, command: str, synopses: Mapping[str, Sequence[str]]) -> None:
        self.command, self.synopses = command, synopses

    def text(self, name: str = "") -> str:
        """The synopsis of a subcommand, or all of them."""
        if name:
            return "usage:\n" + "".join(f"\t{line}\n" for line in self.synopses[name])
        lines = "".join(f"\t{line}\n" for each in self.synopses.values() for line in each)
        return f"usage: {self.command} command args ...\nwhere 'command' is one of the following:\n\n{lines}"

    def fail(self, name: str, message: str = "") -> CommandError:
        """The error of a subcommand that was called wrongly."""
        text = self.text(name).rstrip("\n")
        return CommandError(f"{message}\n{text}" if message else text, 2)

    def operands(self, name: str, rest: Sequence[str], missing: Sequence[str], most: int = 0) -> None:
        """See that there are as many operands as there are complaints about one that is `missing`, and not more than
        `most`. Raises :class:`CommandError`."""
        if len(rest) < len(missing):
            raise self.fail(name, missing[len(rest)])
        if most and len(rest) > most:
            raise self.fail(name, "too many arguments")

    def options(self, name: str, words: Sequence[str], letters: str) -> tuple[list[tuple[str, str]], list[str]]:
        """The options, as pairs of a letter and its argument, and the operands. Raises :class:`CommandError`."""
        try:
            found, rest = getopt.getopt(list(words), letters)
        except getopt.GetoptError as error:
            missing = f"{error.opt}:" in letters
            what = f"missing argument for '{error.opt}' option" if missing else f"invalid option '{error.opt[:1]}'"
            raise self.fail(name, what) from None
        return [(letter[1:], value) for letter, value in found], rest


def nicenum(number: int) -> str:
    """`zfs_nicenum`: a number in at most five characters, as 1.5K, 63.5M."""
    index = max((number.bit_length() - 1) // 10, 0)
    if index == 0:
        return str(number)
    unit = 1 << 10 * index
    if number % unit == 0:
        return f"{number // unit}{UNITS[index]}"
    for places in (2, 1, 0):
        text = f"{number / unit:.{places}f}{UNITS[index]}"
        if len(text) <= 5:
            break
    return text


def ctime(when: int) -> str:
    """ctime(3C) without the end of the line, in the machine's zone: `Sun Aug 14 12:00:00 2011`."""
    try:
        return time.asctime(time.localtime(when if when < 1 << 63 else when - (1 << 64)))
    except (OverflowError, ValueError, OSError):
        return "(null)"


def creation(when: int) -> str:
    """The date of `zfs get creation`: `Sun Aug 14 12:00 2011`."""
    at = time.localtime(when)
    return f"{DAYS[at.tm_wday]} {MONTHS[at.tm_mon - 1]} {at.tm_mday:2} {at.tm_hour:2}:{at.tm_min:02} {at.tm_year}"


def stamp(when: int) -> str:
    """The date of `zpool history`: `2011-08-14.12:00:00`."""
    return time.strftime("%Y-%m-%d.%H:%M:%S", time.localtime(when))


def table(rows: Sequence[Sequence[str]], widths: Sequence[int], right: Sequence[bool], scripted: bool = False) -> str:
    """Rows in columns of these widths; the last one is as wide as it is, unless it is set to the right."""
    if scripted:
        return "".join("\t".join(row) + "\n" for row in rows)
    lines = []
    for row in rows:
        cells = [cell.rjust(width) if r else cell.ljust(width) for cell, width, r in zip(row, widths, right, strict=True)]
        if not right[-1]:
            cells[-1] = row[-1]
        lines.append("  ".join(cells) + "\n")
    return "".join(lines)
