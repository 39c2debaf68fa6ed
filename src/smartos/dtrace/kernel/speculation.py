"""Speculations: buffers that are filled first and kept or thrown away later.

A speculation is inactive until `speculation()` gives its number; `speculate()` makes it active on a CPU, `commit()` copies
what this CPU traced to the principal buffer, `discard()` forgets it. When several CPUs took part, the others' parts are
seen to by a cleaner that runs at the cleaning rate; until then the speculation is busy.

Follows the state diagram of `sys/dtrace_impl.h` and `dtrace_speculation*` of illumos.
"""

from enum import Enum, auto

from smartos.dtrace.kernel.buffer import Entry
from smartos.dtrace.kernel.buffers import Buffer


class State(Enum):
    """States of a speculation."""

    INACTIVE = auto()
    ACTIVE = auto()
    ACTIVEONE = auto()
    ACTIVEMANY = auto()
    COMMITTING = auto()
    COMMITTINGMANY = auto()
    DISCARDING = auto()


class Illegal(ValueError):
    """A number that no speculation has."""


class Speculation:
    """One of them, with a buffer for each CPU that speculated."""

    def __init__(self, size: int) -> None:
        self.size, self.state = size, State.INACTIVE
        self.parts: dict[int, Buffer] = {}

    def part(self, cpu: int) -> Buffer:
        """The buffer of a CPU."""
        return self.parts.setdefault(cpu, Buffer(self.size))


class Speculations:
    """All speculations of a state: `nspec` of them, each of `specsize` bytes a CPU. Numbers begin at 1; 0 is none.

    One is made when it is first given out; before that it is inactive, like all that are not given out.
    """

    def __init__(self, nspec: int, specsize: int) -> None:
        self.nspec, self.specsize = nspec, specsize
        self.all: list[Speculation] = []
        self.busy = self.unavailable = self._dropped = 0

    def states(self) -> list[State]:
        """The state of each, those included that were never given out."""
        return [one.state for one in self.all] + [State.INACTIVE] * (self.nspec - len(self.all))

    def new(self) -> int:
        """`speculation()`: the number of one that was inactive, or 0."""
        busy = False
        for number, one in enumerate(self.all, 1):
            if one.state is State.INACTIVE:
                one.state = State.ACTIVE
                return number
            busy |= one.state in (State.COMMITTING, State.COMMITTINGMANY, State.DISCARDING)
        if len(self.all) < self.nspec:
            self.all.append(Speculation(self.specsize))
            self.all[-1].state = State.ACTIVE
            return len(self.all)
        if busy:
            self.busy += 1
        else:
            self.unavailable += 1
        return 0

    def _find(self, number: int) -> Speculation | None:
        if number > self.nspec:
            raise Illegal(number)
        return self.all[number - 1] if 0 < number <= len(self.all) else None

    def buffer(self, number: int, cpu: int) -> Buffer | None:
        """`speculate()`: the buffer to trace to, or None when the speculation is not active. Raises :class:`Illegal`."""
        one = self._find(number)
        if one is None:
            return None
        part = one.part(cpu)
        if one.state is State.ACTIVE:
            one.state = State.ACTIVEONE
        elif one.state is State.ACTIVEONE:
            if not part.offset:
                one.state = State.ACTIVEMANY
        elif one.state is not State.ACTIVEMANY:
            return None
        return part

    def commit(self, number: int, cpu: int, principal: Buffer, now: int) -> None:
        """`commit()`: what this CPU traced goes to its principal buffer, with the time of the commit. Raises :class:`Illegal`."""
        one = self._find(number)
        if one is None or one.state in (State.INACTIVE, State.DISCARDING, State.COMMITTING):
            return
        before, part = one.state, one.part(cpu)
        many = before is State.ACTIVEMANY or (before is State.ACTIVEONE and not part.offset)
        if many:
            one.state = State.COMMITTINGMANY
        elif before is not State.COMMITTINGMANY:
            one.state = State.COMMITTING
        self._copy(part, principal, now)
        if one.state is State.COMMITTING:
            one.state = State.INACTIVE

    def discard(self, number: int, cpu: int) -> None:
        """`discard()`. Raises :class:`Illegal`."""
        one = self._find(number)
        if one is None or one.state not in (State.ACTIVE, State.ACTIVEONE, State.ACTIVEMANY):
            return
        part = one.part(cpu)
        here = one.state is State.ACTIVEONE and part.offset
        one.state = State.INACTIVE if here else State.DISCARDING
        self._forget(part)

    def clean(self, principals: dict[int, Buffer], now: int) -> None:
        """The cleaner: finish what commit() and discard() left on other CPUs."""
        for number, one in enumerate(self.all, 1):
            if one.state not in (State.DISCARDING, State.COMMITTINGMANY):
                continue
            for cpu, part in one.parts.items():
                if one.state is State.DISCARDING:
                    self._forget(part)
                elif part.offset and cpu in principals:
                    self.commit(number, cpu, principals[cpu], now)
            one.state = State.INACTIVE

    def drops(self) -> int:
        """Speculative entries that did not fit, ever."""
        return self._dropped + sum(part.drops for one in self.all for part in one.parts.values())

    def _copy(self, part: Buffer, principal: Buffer, now: int) -> None:
        size = part.offset
        base = principal.reserve(size, 8)
        if base < 0:
            principal.drops += 1  # a second one, where reserve() counted a first, as in the real system
        else:
            at = 0
            for entry in part.take():
                entry.timestamp = now
                at = -(-at // entry.ecb.alignment) * entry.ecb.alignment
                principal.commit(base + at, entry.ecb.size, entry)
                at += entry.ecb.size
            principal.offset = base + size
        self._dropped += part.drops
        part.drops = 0
        self._forget(part)

    @staticmethod
    def _forget(part: Buffer) -> None:
        part.take()

    def entries(self) -> list[Entry]:
        """What is traced and neither committed nor discarded; for the reader."""
        return [entry for one in self.all for part in one.parts.values() for entry in part.entries]
