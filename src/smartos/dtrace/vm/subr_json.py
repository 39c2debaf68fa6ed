"""json(): one value out of a JSON text, found by a path like `a.b[3].c`.

It reads the text once, byte by byte, as a machine of states, since the kernel must not do more; it knows just enough of
JSON to find a value, and anything wrong on the way there gives NULL. Strings come as they are written, with their escapes;
an object or array comes whole. Follows `dtrace_json`, its answers to malformed texts included.
"""

from typing import TYPE_CHECKING

from smartos.dtrace.dif import Subr
from smartos.dtrace.vm.fault import Fault, FaultKind
from smartos.dtrace.vm.memory import TOP
from smartos.dtrace.vm.steps import signed
from smartos.dtrace.vm.subr import Subroutine, arg
from smartos.dtrace.vm.subr_strings import number

if TYPE_CHECKING:
    from smartos.dtrace.vm.machine import Run

_SPACE, _DIGITS = b" \t\n\v\f\r", b"0123456789"
_HEX = b"0123456789abcdefABCDEF"
_LOWER = b"abcdefghijklmnopqrstuvwxyz"
_WORDS = (b"true", b"false", b"null")


class _Wrong(Exception):
    """The text is no JSON, or does not have the value."""


class _Found(Exception):
    """The value, as the exception's argument."""


class Finder:
    """Looks for one value. `path` is what leads to it: names and, for arrays, decimal indices."""

    def __init__(self, path: list[bytes]) -> None:
        self.path, self.level = path, 0
        self.state = self.rest
        self.kept = bytearray()
        self.key = self.collecting = self.found = self.array = False
        self.place = self.wanted = self.escapes = self.braces = self.brackets = 0

    def find(self, text: bytes) -> bytes | None:
        """The value's text, or None."""
        at = 0
        try:
            while at < len(text):
                if self.state(text[at : at + 1]):
                    at += 1
        except _Wrong:
            return None
        except _Found as found:
            return found.args[0]
        return None

    # Each state takes a character and says whether it used it up.

    def rest(self, char: bytes) -> bool:
        """Before the outermost object or array."""
        if char in _SPACE:
            return True
        if char not in (b"{", b"["):
            raise _Wrong
        self.enter(char)
        return True

    def enter(self, char: bytes) -> None:
        """Go into an object or array to look for the next element of the path."""
        self.array = char == b"["
        if not self.array:
            self.found, self.state = False, self.object
            return
        self.place, self.wanted = 0, signed(number(self.path[self.level], 10) & TOP)
        self.found, self.state = self.wanted == 0, self.value

    def object(self, char: bytes) -> bool:
        """In an object, before a name."""
        if char in _SPACE:
            return True
        if char != b'"':
            raise _Wrong
        self.state, self.key = self.string, True
        return True

    def string(self, char: bytes) -> bool:
        """In a string."""
        if char == b'"':
            self.end_string()
            return True
        self.kept += char
        if char == b"\\":
            self.state = self.escape
        return True

    def end_string(self) -> None:
        """A string is over: it was a name, a value, or part of something that is kept whole."""
        if self.collecting:
            self.kept += b'"'
            self.collecting, self.state = False, self.collect
            return
        text = self.take()
        if self.key:
            self.found = self.found or text == self.path[self.level]
        elif self.found:
            self.give(text)
        self.state = self.colon if self.key else self.comma
        self.key = False

    def take(self) -> bytes:
        """What was kept; then nothing is."""
        text = bytes(self.kept)
        self.kept.clear()
        return text

    def give(self, text: bytes) -> None:
        """This is the value, unless the path leads on into it."""
        if self.level + 1 < len(self.path):
            raise _Wrong
        raise _Found(text)

    def escape(self, char: bytes) -> bool:
        """After a backslash."""
        self.kept += char
        self.escapes = 0
        self.state = self.unicode if char == b"u" else self.string
        return True

    def unicode(self, char: bytes) -> bool:
        """In the four digits of a `\\u` escape."""
        if char not in _HEX:
            raise _Wrong
        self.kept += char
        self.escapes += 1
        if self.escapes == 4:
            self.state = self.string
        return True

    def colon(self, char: bytes) -> bool:
        """Between a name and its value."""
        if char in _SPACE:
            return True
        if char != b":":
            raise _Wrong
        self.state = self.value
        return True

    def comma(self, char: bytes) -> bool:
        """After a value."""
        if char in _SPACE:
            return True
        if char != b",":
            raise _Wrong
        if self.array:
            self.place += 1
            self.found = self.found or self.place == self.wanted
        self.state = self.value if self.array else self.object
        return True

    def value(self, char: bytes) -> bool:
        """Before a value."""
        if char in _SPACE:
            return True
        if char in (b"{", b"["):
            if self.found and self.level + 1 < len(self.path):
                self.level += 1
                self.kept.clear()
                self.enter(char)
                return True
            self.brackets, self.braces = (1, self.braces) if char == b"[" else (self.brackets, 1)
            self.state = self.collect
        elif char == b'"':
            self.state = self.string
            return True
        elif char in _LOWER:
            self.state = self.identifier
        elif char == b"-" or char in _DIGITS:
            self.state = self.integer
        else:
            raise _Wrong
        self.kept += char
        return True

    def identifier(self, char: bytes) -> bool:
        """In true, false or null."""
        if char in _LOWER:
            self.kept += char
            return True
        text = self.take()
        if text not in _WORDS:
            raise _Wrong
        if self.found:
            self.give(text)
        self.state = self.comma
        return False

    def integer(self, char: bytes) -> bool:
        """In the integer part of a number."""
        if char == b".":
            self.kept += char
            self.state = self.fraction
            return True
        if char in b"xX":
            raise _Wrong
        return self.fraction(char)

    def fraction(self, char: bytes) -> bool:
        """In a number, before its exponent."""
        if char in b"eE":
            self.kept += char
            self.state = self.exponent
            return True
        if char in b"+-":
            raise _Wrong
        return self.exponent(char)

    def exponent(self, char: bytes) -> bool:
        """In a number's exponent."""
        if char in b"0123456789+-":
            self.kept += char
            return True
        text = self.take()
        if self.found:
            self.give(text)
        self.state = self.comma
        return False

    def collect(self, char: bytes) -> bool:
        """In an object or array that is kept, or passed over, whole."""
        self.kept += char
        if char == b'"':
            self.collecting, self.state = True, self.string
            return True
        if (char == b"]" and not self.brackets) or (char == b"}" and not self.braces):
            raise _Wrong
        self.brackets += (char == b"[") - (char == b"]")
        self.braces += (char == b"{") - (char == b"}")
        if not self.brackets and not self.braces:
            text = self.take()
            if self.found:
                raise _Found(text)
            self.state = self.comma
        return True


def elements(path: bytes) -> list[bytes]:
    """The elements of a path: `a.b[3]` has a, b and 3."""
    if path[:1] == b"[":
        path = path[1:]
    return path.replace(b"]", b"").replace(b"[", b".").split(b".")


def json(run: "Run", args: list[int]) -> int:
    """A value of a JSON text, as a string in scratch space; NULL if it is not there."""
    text, path = run.text(arg(args, 0)), run.text(arg(args, 1))
    frame = run.frame
    if frame.scratch + len(text) + len(path) + 2 > frame.limit:
        raise Fault(FaultKind.NOSCRATCH)
    found = Finder(elements(path)).find(text)
    if found is None:
        return 0
    address = frame.allocate(len(text) + 1)
    run.memory.write(address, found + b"\0")
    return address


SUBROUTINES: dict[int, Subroutine] = {Subr.JSON: json}
