"""What Python hands to a session, held against what a session takes."""

from collections.abc import Sequence
from typing import Any

from smartos.dtrace.errors import DError
from smartos.dtrace.options import Options

WORKLOADS = ("node", "")
CPUS = 256
LONGEST = ((1 << 63) - 1) // 10**9  # seconds, so that nanoseconds are a number of 63 bits
KINDS: dict[str, tuple[type, ...]] = {
    "the program": (str,), "options": (Options,), "seed": (int,), "cpus": (int,), "workload": (str,), "seconds": (int, float),
}  # fmt: skip


def check(**given: Any) -> None:
    """Look at arguments by their names. Raises :class:`DError` for the first that is none of its kind, or out of its range."""
    for name, value in given.items():
        _kind("the program" if name == "program" else name, value)
    _text("the program", given.get("program", ""))
    if not 1 <= given.get("cpus", 1) <= CPUS:
        raise DError("", f"cpus is {given['cpus']}, not 1 to {CPUS}")
    if given.get("workload", "") not in WORKLOADS:
        raise DError("", f"workload is {given['workload']!r}, not {' or '.join(map(repr, WORKLOADS))}")
    seconds = given.get("seconds")
    if seconds is not None and not 0 <= seconds <= LONGEST:
        raise DError("", f"seconds is {seconds}, not 0 to {LONGEST}")


def check_macros(args: Sequence[str]) -> None:
    """Look at the macro arguments. Raises :class:`DError`."""
    for number, value in enumerate(args, 1):
        if not isinstance(value, str):
            raise DError("", f"${number} is {type(value).__name__}, not str")
        _text(f"${number}", value)


def _text(name: str, value: str) -> None:
    """Bytes that are no UTF-8 may stand in a text as Python's surrogateescape has them; other lone surrogates are no text."""
    try:
        value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise DError("", f"{name} has {value[error.start]!r} at {error.start}, which is no character") from None


def _kind(name: str, value: object) -> None:
    kinds = KINDS[name]
    if value is None and name in ("options", "seconds"):
        return  # not given
    if not isinstance(value, kinds):
        raise DError("", f"{name} is {type(value).__name__}, not {' or '.join(kind.__name__ for kind in kinds)}")
