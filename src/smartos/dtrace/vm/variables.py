"""The variables of a D program while it runs: global, thread-local (`self->`) and clause-local (`this->`) ones, and arrays.

A variable by value is an integer of 64 bits. One by reference (a string, a struct) is a region of memory that a program
can point into; it starts as zeros, and assigning NULL to it marks it, as the real one does, with a byte in front of it.
Thread-local variables and elements of associative arrays are dynamic: they are made when something other than zero is
assigned, and freed by assigning zero. The space for them is bounded.

Left out: lists of chunks per CPU, and the dirty and rinsing lists. Those let a chunk that one CPU freed be reused only
when no other can still be looking at it; here nobody else looks, and it is reused at once. Follows
`dtrace_difo_init`, `dtrace_difo_chunksize`, `dtrace_dstate_init` and `dtrace_dynvar`.
"""

from dataclasses import dataclass

from smartos.dtrace.dif import GLOBAL, LOCAL, OTHER_USER, STR, THREAD, Difo, DifType, Op, index, r1, rd
from smartos.dtrace.vm.fault import Dropped
from smartos.dtrace.vm.memory import Memory, Region

Key = tuple[object, ...]  # of a dynamic variable: its indices (int, or bytes by reference), its number, the thread
CHUNK, KEY, HASH = 48, 16, 64  # bytes of dtrace_dynvar_t (its first key included), dtrace_key_t and a hash bucket
LEAST_CHUNK = 256


@dataclass(frozen=True)
class Limits:
    """What bounds a program: bytes of a string (its NUL included), of scratch space, of all dynamic variables."""

    strsize: int = 256
    scratch: int = 4 << 20
    dynvarsize: int = 1 << 20


class Static:
    """A variable by reference: eight bytes, the first of which says NULL when it is 255, and the value."""

    __slots__ = ("region", "size")

    def __init__(self, memory: Memory, size: int) -> None:
        self.size = size
        self.region = Region(bytearray(8 + size), store=True)
        memory.map(self.region)

    @property
    def address(self) -> int:
        """Where the value is, 0 when it is NULL."""
        return 0 if self.region.data[0] == 255 else self.region.base + 8

    def null(self, yes: bool) -> None:
        """Make it NULL, or not."""
        self.region.data[0] = 255 if yes else 0  # type: ignore[index]


class Variables:
    """All variables of one consumer's programs.

    `globals` and `locals[cpu]` map the number of a variable by value to its integer; `references` holds those by
    reference, by scope, CPU and number. `dynamic` holds dynamic ones by key: an integer, or the region of one by
    reference. `drops` counts assignments for which there was no space, and `capacity` is how many dynamic ones there can be.
    """

    def __init__(self, memory: Memory, limits: Limits = Limits()) -> None:
        self.memory, self.limits = memory, limits
        self.globals: dict[int, int] = {}
        self.locals: dict[int, dict[int, int]] = {}
        self.types: dict[tuple[int, int], DifType] = {}
        self.references: dict[tuple[int, int, int], Static] = {}
        self.dynamic: dict[Key, int | Region] = {}
        self.chunk = LEAST_CHUNK
        self.drops = 0
        self.capacity = self._capacity()

    def declare(self, difo: Difo) -> None:
        """Take note of the variables that a DIF object names; the first type that is given to a static one stays."""
        for var in difo.vars:
            if var.id < OTHER_USER:
                continue
            if var.scope == THREAD:
                self.types[THREAD, var.id] = var.type
            else:
                self.types.setdefault((var.scope, var.id), var.type)
        self._chunks(difo)
        self.capacity = self._capacity()

    def reference(self, scope: int, number: int, cpu: int) -> Static:
        """The variable by reference, of zeros when it is new. `cpu` counts for clause-local ones only."""
        key = (scope, number, cpu if scope == LOCAL else 0)
        found = self.references.get(key)
        if found is None:
            found = self.references[key] = Static(self.memory, self.size(self.types[scope, number]))
        return found

    def by_ref(self, scope: int, number: int) -> bool:
        """Whether a variable holds more than an integer."""
        kind = self.types.get((scope, number))
        return kind is not None and kind.by_ref

    def size(self, kind: DifType) -> int:
        """Bytes that a value of the type takes; a string's are the limit's when the type does not say."""
        return kind.size or (self.limits.strsize if kind.kind == STR else 8)

    def _capacity(self) -> int:
        """How many dynamic variables there can be."""
        size = max(self.limits.dynvarsize, self.chunk + HASH)
        buckets = size // (self.chunk + HASH)
        if buckets != 1 and buckets & 1:
            buckets -= 1
        return max(-(-(size - buckets * HASH) // self.chunk) - 1, 1)

    def free(self, key: Key) -> None:
        """Free a dynamic variable, if there is one of that key."""
        old = self.dynamic.pop(key, None)
        if isinstance(old, Region):
            self.memory.unmap(old.base)

    def set(self, key: Key, value: int) -> None:
        """Assign to a dynamic variable by value. Raises Dropped when there is no space for a new one."""
        if not value:
            self.free(key)
        elif key in self.dynamic or self._room(key, 8):
            self.dynamic[key] = value

    def place(self, key: Key, size: int) -> Region | None:
        """The region of a dynamic variable by reference, made if need be; None when its key is too large for a chunk."""
        found = self.dynamic.get(key)
        if found is None and self._room(key, max(size, 8)):
            found = self.dynamic[key] = Region(bytearray(max(size, 8)), store=True)
            self.memory.map(found)
        return found if isinstance(found, Region) else None

    def _room(self, key: Key, size: int) -> bool:
        keys = sum(-(-len(part) // 8) * 8 for part in key if isinstance(part, bytes))
        if CHUNK + KEY * (len(key) - 1) + keys + size > self.chunk:
            self.drops += 1
            return False
        if len(self.dynamic) >= self.capacity:
            self.drops += 1
            raise Dropped
        return True

    def _chunks(self, difo: Difo) -> None:
        """Make the chunks as large as the largest dynamic variable that the object assigns."""
        sizes: list[int] = []
        constant: dict[int, int] = {}  # register -> value, for the instruction after a setx only
        for word in difo.code:
            what, keys, scope = word >> 24, None, THREAD
            if what == Op.SETX:
                at = index(word)
                constant = {rd(word): difo.ints[at] if at < len(difo.ints) else 0}
                continue
            if what == Op.PUSHTR:
                given = next(iter(constant.values()), 0)
                sizes.append(given or (self.limits.strsize if r1(word) == STR else 0))
            elif what == Op.PUSHTV:
                sizes.append(0)
            elif what == Op.FLUSHTS:
                sizes = []
            elif what == Op.POPTS:
                del sizes[-1:]
            elif what == Op.STTS:
                keys = [0, 0]
            elif what == Op.STGAA:
                keys, scope = [*sizes, 0], GLOBAL
            elif what == Op.STTAA:
                keys = [*sizes, 0, 0]
            constant = {}
            kind = self.types.get((scope, index(word)))
            if keys and kind is not None:
                data = sum(-(-size // 8) * 8 for size in keys)
                need = CHUNK + KEY * (len(keys) - 1) + data + self.size(kind)
                if need < 1 << 63:
                    self.chunk = max(self.chunk, -(-need // 8) * 8)
