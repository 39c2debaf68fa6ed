"""What happened in the pool: an append-only log of writes, frees, transaction groups and administration, in order.

Each event says in which transaction group and sync pass it was, what it was about, and for a block where it was and
where it is now. A stepper can walk through the log; the copy-on-write of one transaction group reads, from the leaf to
the uberblock, as events whose `new` addresses were free space before.

Left out: reads, and time. The kinds are named after the real functions that do it (`dbuf_write`, `zio_free` …).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from smartos.zfs.format.blkptr import DVA


@dataclass(frozen=True, slots=True)
class Bookmark:
    """Which block: of which dataset ("MOS" or its name), object, level and number. Level -1 is an object set's root."""

    dataset: str
    object: int
    level: int
    blkid: int

    def describe(self) -> str:
        """As the error log names blocks: dataset:object:level:blkid."""
        return f"{self.dataset}:{self.object}:{self.level}:{self.blkid}"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. `old` and `new` are the block's addresses before and after; `what` says it in words.

    The kinds: `open`, `quiesce`, `sync`, `synced` (of a transaction group), `write`, `rewrite` (a block), `free`,
    `defer` (a free put off to the next group), `dead` (a block that a snapshot keeps), `task` (a sync task), `flush`,
    `label`, `uberblock`, `vdev`, `scan`, `log` (a block of an intent log), `replay` (of one, at an import).
    """

    txg: int
    sync_pass: int
    kind: str
    what: str
    where: Bookmark | None = None
    old: tuple[DVA, ...] = ()
    new: tuple[DVA, ...] = ()
    type: str = ""
    lsize: int = 0
    psize: int = 0

    def describe(self) -> str:
        """The event in a line."""
        line = f"txg {self.txg} pass {self.sync_pass} {self.kind:9} {self.what}"
        if self.old or self.new:
            before = " ".join(dva.describe() for dva in self.old) or "hole"
            after = " ".join(dva.describe() for dva in self.new) or "hole"
            line += f" {before} -> {after}"
        return line


@dataclass
class EventLog:
    """The log. While `enabled` is false, nothing is kept. `listeners` hear each event as it happens."""

    events: list[Event] = field(default_factory=list)
    enabled: bool = True
    listeners: list[Callable[[Event], None]] = field(default_factory=list)

    @property
    def wanted(self) -> bool:
        """Whether anybody would see an event."""
        return self.enabled or bool(self.listeners)

    def add(self, event: Event) -> None:
        """Append an event."""
        if self.enabled:
            self.events.append(event)
        for listener in self.listeners:
            listener(event)

    def of(self, txg: int) -> list[Event]:
        """The events of one transaction group."""
        return [event for event in self.events if event.txg == txg]

    def __iter__(self) -> Iterator[Event]:
        return iter(self.events)

    def __len__(self) -> int:
        return len(self.events)
