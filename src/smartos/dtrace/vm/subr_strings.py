"""Subroutines about strings: strlen() to strtok(), strjoin(), lltostr(), strtoll().

A string is an address; what a subroutine makes is put into scratch space, of which most take strsize bytes at once.
index() and rindex() treat positions outside the string as Perl does. Follows `dtrace_dif_subr` and `dtrace_strtoll`.
"""

from typing import TYPE_CHECKING

from smartos.dtrace.dif import Subr
from smartos.dtrace.vm.fault import Fault, FaultKind
from smartos.dtrace.vm.memory import TOP
from smartos.dtrace.vm.steps import signed
from smartos.dtrace.vm.subr import Subroutine, arg

if TYPE_CHECKING:
    from smartos.dtrace.vm.machine import Run

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
BASES = range(2, 37)


def put(run: "Run", text: bytes, size: int | None = None) -> int:
    """Put a string into scratch space of `size` bytes (strsize if not given), cut so that its NUL fits; where it is."""
    size = run.machine.limits.strsize if size is None else size
    address = run.frame.allocate(size)
    run.memory.write(address, text[: size - 1] + b"\0")
    return address


def strlen(run: "Run", args: list[int]) -> int:
    """Bytes before the NUL, at most strsize."""
    return len(run.text(arg(args, 0)))


def strchr(run: "Run", args: list[int]) -> int:
    """The address of the first such character, or 0."""
    return _character(run, args, bytes.find)


def strrchr(run: "Run", args: list[int]) -> int:
    """The address of the last such character, or 0."""
    return _character(run, args, bytes.rfind)


def _character(run: "Run", args: list[int], find) -> int:
    text, wanted = run.text(arg(args, 0)), arg(args, 1) & 0xFF
    if not wanted:  # the NUL is found too, unless it lies past strsize
        return args[0] + len(text) if len(text) < run.machine.limits.strsize else 0
    place = find(text, bytes([wanted]))
    return args[0] + place if place >= 0 else 0


def strstr(run: "Run", args: list[int]) -> int:
    """The address of a string in another, or 0."""
    text, part = run.text(arg(args, 0)), run.text(arg(args, 1))
    if not part and text:
        return args[0]
    place = text.find(part)
    return args[0] + place if place >= 0 else 0


def index(run: "Run", args: list[int]) -> int:
    """Where a string first stands in another, from a position on; -1 if nowhere."""
    text, part = run.text(arg(args, 0)), run.text(arg(args, 1))
    if not text and not part:
        return 0
    at = max(signed(args[2]), 0) if len(args) == 3 else 0
    if len(args) == 3 and at >= len(text):
        return len(text) if not part else -1
    place = text.find(part, at)
    return place if place < len(text) else -1


def rindex(run: "Run", args: list[int]) -> int:
    """Where a string last stands in another, not after a position; -1 if nowhere."""
    text, part = run.text(arg(args, 0)), run.text(arg(args, 1))
    if not text and not part:
        return 0
    at = len(text)
    if len(args) == 3:
        if signed(args[2]) < 0:
            return -1 if part else 0
        at = min(signed(args[2]), at)
    return text.rfind(part, 0, at + len(part))


def strtok(run: "Run", args: list[int]) -> int:
    """The next token. With a NULL string it goes on from where the last call in this firing stopped."""
    frame, size = run.frame, run.machine.limits.strsize
    separators = run.text(arg(args, 1))
    if frame.scratch + size > frame.limit:
        raise Fault(FaultKind.NOSCRATCH)
    address, limit = arg(args, 0), 0
    if address:
        run.readable(address, 1)
        limit = address + size
    else:
        address, limit = frame.strtok, frame.strtok_limit
    text = run.memory.string(address, limit - address) if limit > address else b""
    rest = text.lstrip(separators) if separators else text
    if not rest:
        frame.strtok = frame.strtok_limit = 0
        return 0
    end = next((place for place, char in enumerate(rest) if char in separators), len(rest))
    end = min(end, size - 1)
    frame.strtok, frame.strtok_limit = address + len(text) - len(rest) + end, limit
    return put(run, rest[:end])


def substr(run: "Run", args: list[int]) -> int:
    """A part of a string: from a position (from the end, if negative), so many bytes (all but so many, if negative)."""
    size, text = run.machine.limits.strsize, run.text(arg(args, 0))
    start = signed(arg(args, 1))
    count = signed(arg(args, 2)) if len(args) > 2 else size
    if start < 0:
        start += len(text)
        if start < 0 < start + count:
            count, start = count + start, 0
    if start >= len(text) or start < 0:
        count = 0
    elif count < 0:
        count += len(text) - start
    elif start + count > size:
        count = size - start
    return put(run, text[start : start + count] if count > 0 else b"")


def toupper(run: "Run", args: list[int]) -> int:
    """The string with its ASCII letters in upper case."""
    return put(run, run.text(arg(args, 0)).upper())


def tolower(run: "Run", args: list[int]) -> int:
    """The string with its ASCII letters in lower case."""
    return put(run, run.text(arg(args, 0)).lower())


def strjoin(run: "Run", args: list[int]) -> int:
    """Two strings as one. One that does not fit in strsize is a fault; it takes only the space that it needs."""
    joined = run.text(arg(args, 0)) + run.text(arg(args, 1))
    size = run.machine.limits.strsize
    if run.frame.scratch + size > run.frame.limit or len(joined) >= size:
        raise Fault(FaultKind.NOSCRATCH)
    if len(joined) + 1 == size:  # the real one leaves the register as it is when the string just fits
        run.memory.write(run.frame.scratch, joined + b"\0")
        return None  # type: ignore[return-value]
    return put(run, joined, len(joined) + 1)


def _base(args: list[int]) -> int:
    base = (args[1] & 0xFFFFFFFF) if len(args) > 1 else 10
    if base not in BASES:
        raise Fault(FaultKind.ILLOP)
    return base


def strtoll(run: "Run", args: list[int]) -> int:
    """The number that a string begins with."""
    base = _base(args)
    return number(run.text(arg(args, 0)), base) & TOP


def number(text: bytes, base: int) -> int:
    """What strtoll() reads: blanks, a sign, 0x for base 16, digits up to the first that is none; it wraps at 64 bits."""
    text = text.lstrip(b" \t").lower()
    negative = text[:1] == b"-"
    if text[:1] in (b"-", b"+"):
        text = text[1:]
    if base == 16 and text[:2] == b"0x" and chr((text + b"\0\0\0")[2]) in DIGITS[:16]:
        text = text[2:]
    value = 0
    for char in text:
        digit = DIGITS.find(chr(char))
        if not 0 <= digit < base:
            break
        value = (value * base + digit) & TOP
    return -value if negative else value


def lltostr(run: "Run", args: list[int]) -> int:
    """A number in digits: with a sign in base 10, with 0 or 0x before it in bases 8 and 16."""
    base, given = _base(args), arg(args, 0)
    value = abs(signed(given)) if base == 10 else given
    digits = ""
    while value:
        value, digit = divmod(value, base)
        digits = DIGITS[digit] + digits
    if not given and base == 16:
        digits = "0"
    if base == 16:
        digits = "x" + digits
    if not given or base in (8, 16):
        digits = "0" + digits
    if base == 10 and signed(given) < 0:
        digits = "-" + digits
    address = run.frame.allocate(65) + 64 - len(digits)  # it is made from its end, in room for 64 binary digits
    run.memory.write(address, digits.encode() + b"\0")
    return address


SUBROUTINES: dict[int, Subroutine] = {
    Subr.STRLEN: strlen, Subr.STRCHR: strchr, Subr.STRRCHR: strrchr, Subr.STRSTR: strstr, Subr.INDEX: index,
    Subr.RINDEX: rindex, Subr.STRTOK: strtok, Subr.SUBSTR: substr, Subr.TOUPPER: toupper, Subr.TOLOWER: tolower,
    Subr.STRJOIN: strjoin, Subr.STRTOLL: strtoll, Subr.LLTOSTR: lltostr,
}  # fmt: skip
