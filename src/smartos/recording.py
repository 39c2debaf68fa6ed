"""Recorded events: what probes fired, as lines of JSON, and their firing again from such a file.

    with record(path, "sdt:kvm::"):
        run("counter")                      # whatever fires probes

    replay(path)                            # the same probes fire again, in the same order, with their times

A line is `[time, probe, arguments, context]`: the time in nanoseconds since the first event, the probe as
provider:module:function:name, its arguments, and who acted. The first line says the format's version and the argument
types of each probe, so that a file can be replayed where the model that made it is not. A structure is an object with the
members that it had, down to four levels, and a number under `is`; the same members again are that number alone. Bytes are
`{"hex": …}`, a process's text `{"user": …}`; of a list 64 parts are kept. The format follows nothing.
"""

import dataclasses
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from smartos.probes import Probe, Userland, acting, declare, matching, subscribe

VERSION = 1
DEEPEST, LONGEST = 4, 64
_KEPT = ("pid", "ppid", "tid", "uid", "gid", "execname", "zonename", "cpu", "errno", "stack", "ustack", "vmregs")
_INTEGER = 1 << 63


class RecordingError(ValueError):
    """A file that is no recording; the message names it and the line."""


class Writer:
    """Values as JSON can hold them. A structure that has been written before is only named again."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def plain(self, value: object, depth: int = 0) -> Any:
        """A value."""
        if isinstance(value, Userland):
            return {"user": str(value)}
        if value is None or isinstance(value, bool | str):
            return value
        if isinstance(value, int):
            return int(value) if -_INTEGER <= value < 2 * _INTEGER else value & 2 * _INTEGER - 1
        if isinstance(value, float):
            return int(value)
        if isinstance(value, bytes | bytearray | memoryview):
            return {"hex": bytes(value).hex()}
        if depth >= DEEPEST:
            return None
        if isinstance(value, list | tuple):
            return [self.plain(part, depth + 1) for part in value[:LONGEST]]
        parts = value.items() if isinstance(value, Mapping) else _members(value)
        return self._struct({str(name): self.plain(part, depth + 1) for name, part in parts})

    def _struct(self, members: dict[str, Any]) -> dict[str, Any]:
        if not members:
            return {}
        text = json.dumps(members, sort_keys=True)
        if text in self._known:
            return {"is": self._known[text]}
        self._known[text] = number = len(self._known)
        return {"is": number, **members}


def _members(value: object) -> Iterator[tuple[str, object]]:
    """An object's public data: fields, attributes, and properties of its class."""
    if dataclasses.is_dataclass(value):
        names = [field.name for field in dataclasses.fields(value)]
    else:
        names = list(getattr(value, "__dict__", ()))
    names += [name for name, part in vars(type(value)).items() if isinstance(part, property)]
    for name in dict.fromkeys(names):
        if name.startswith("__"):
            continue
        part = getattr(value, name, None)
        if not callable(part):
            yield name, part


@contextmanager
def record(target: str | Path | TextIO, description: str = "", clock: Callable[[], int] = time.perf_counter_ns) -> Iterator[None]:
    """Write what the probes of a description fire while the block runs. `clock` gives nanoseconds.

    Raises :class:`~smartos.probes.ProbeError` when the description names no probe.
    """
    file = Path(target).open("w", encoding="utf-8") if isinstance(target, str | Path) else target
    start: list[int] = []
    plain = Writer().plain

    def hear(probe: Probe, args: tuple, context: Mapping[str, object]) -> None:
        now = int(context.get("timestamp") or clock())  # type: ignore[call-overload]
        if not start:
            start.append(now)
        kept = plain({name: context[name] for name in _KEPT if name in context})
        file.write(json.dumps([now - start[0], str(probe), plain(list(args)), kept], separators=(",", ":")) + "\n")

    try:
        types = {str(probe): list(probe.argtypes) for probe in matching(description)}
        file.write(json.dumps({"smartos-events": VERSION, "probes": types}, separators=(",", ":")) + "\n")
        with subscribe(hear, description):
            yield
    finally:
        if file is not target:
            file.close()


class Struct:
    """A structure from a recording: its members are attributes."""

    def __init__(self, members: Mapping[str, Any]) -> None:
        self.__dict__.update(members)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Struct) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return id(self)


class Reader:
    """Values of a recording as they were."""

    def __init__(self) -> None:
        self._known: dict[int, Struct] = {}

    def back(self, value: Any) -> Any:
        """A value. Raises KeyError for a structure that was not written before."""
        if isinstance(value, dict):
            if set(value) == {"hex"}:
                return bytes.fromhex(value["hex"])
            if set(value) == {"user"}:
                return Userland(value["user"])
            number = value.get("is")
            if len(value) == 1 and number is not None:
                return self._known[number]
            made = Struct({name: self.back(part) for name, part in value.items() if name != "is"})
            if number is not None:
                self._known[number] = made
            return made
        if isinstance(value, list):
            return [self.back(part) for part in value]
        return value


@dataclasses.dataclass(frozen=True)
class Event:
    """One recorded firing. `time` is in nanoseconds since the first."""

    time: int
    probe: Probe
    args: tuple
    context: dict[str, Any]


def load(source: str | Path | Iterable[str]) -> Iterator[Event]:
    """The events of a file, or of its lines; its probes are declared. Raises :class:`RecordingError`."""
    name = str(source) if isinstance(source, str | Path) else "the recording"
    lines = Path(source).read_text("utf-8").splitlines() if isinstance(source, str | Path) else source
    probes: dict[str, Probe] | None = None
    reader = Reader()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            read = json.loads(line)
            if probes is None:
                if read["smartos-events"] != VERSION:
                    raise RecordingError(f"{name} has version {read['smartos-events']} of the format; {VERSION} is read here")
                probes = {text: declare(text, *types) for text, types in read["probes"].items()}
                continue
            when, text, args, context = read
            probe = probes.get(text) or declare(text, *("uintptr_t",) * len(args))
            fired = tuple(reader.back(part) for part in args)
            yield Event(int(when), probe, fired, _context(vars(reader.back(context))))
        except RecordingError:
            raise
        except (ValueError, TypeError, KeyError) as error:
            raise RecordingError(f"line {number} of {name} is no recorded event: {error}; record it again") from None


def _context(read: Mapping[str, Any]) -> dict[str, Any]:
    """Who acted: stacks are tuples again, and the guest's registers are found by number."""
    kept = {key: tuple(part) if isinstance(part, list) else part for key, part in read.items()}
    if isinstance(kept.get("vmregs"), Struct):
        kept["vmregs"] = {int(field): part for field, part in vars(kept["vmregs"]).items()}
    return kept


class Player:
    """A recording as something that happens in time: `next()` says when the next event is due, `fire()` lets it happen.

    `now` is the time of the first event, and `speed` how much faster than in life they come.
    """

    def __init__(self, source: str | Path | Iterable[str], now: int = 0, speed: float = 1.0) -> None:
        self._events = load(source)
        self._start, self._speed = now, speed
        self._next = next(self._events, None)

    def next(self) -> int | None:
        """When the next event is due; None after the last."""
        return None if self._next is None else self._start + int(self._next.time / self._speed)

    def fire(self) -> None:
        """Fire it."""
        event = self._next
        if event is None:
            return
        due = self.next()
        self._next = next(self._events, None)
        if event.probe.listeners:
            with acting(**event.context, timestamp=due):
                event.probe.fire(*event.args)


def replay(source: str | Path | Iterable[str]) -> int:
    """Fire all events of a recording, one after the other; how many there were. Raises :class:`RecordingError`."""
    player, count = Player(source), 0
    while player.next() is not None:
        player.fire()
        count += 1
    return count
