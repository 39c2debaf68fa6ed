"""What models fire, as kernel memory: Python objects laid out by C types when a program first looks at them.

A model fires a `struct buf *` as an object or a dict whose attributes or keys have the members' names; a program reads
members at their offsets. So an object gets an address when it is fired, and its bytes are made when they are read, from
what it is then. Members that the object has not are zero; a member that is a pointer to a structure, or a string, gets an
address of its own in the same way. The same object has the same address as long as it is remembered, which is what
`start[arg0] = timestamp` wants.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from smartos.dtrace.ctf import Array, CType, Enum, Float, Integer, Pointer, Struct, resolve, sizeof
from smartos.dtrace.system.iobuf import Buf
from smartos.dtrace.system.kdata import Threads, install
from smartos.dtrace.vm.memory import KERNEL, PAGE_SHIFT, Region
from smartos.probes import Userland

if TYPE_CHECKING:
    from smartos.dtrace.kernel.kernel import Kernel
    from smartos.dtrace.system.setup import Setting
    from smartos.dtrace.vm.machine import Machine

KEEP = 4096
PLACE = KERNEL + (1 << 36)  # where objects begin: apart from strings and variables, so that these do not move them
M64 = (1 << 64) - 1


class ObjectRegion(Region):
    """The bytes of an object; made anew for every firing that looks."""

    __slots__ = ("kind", "made", "objects", "what", "when")

    def __init__(self, objects: "Objects", what: Any, kind: CType) -> None:
        super().__init__(b"")
        self.objects, self.what, self.kind = objects, what, kind
        self.size = max(sizeof(kind), 1)
        self.when = -1

    def read(self, offset: int, count: int) -> bytes:
        """As of the firing at hand."""
        if self.when != self.objects.firing:
            self.when = self.objects.firing
            self.data = self.objects.pack(self.what, self.kind)
        return super().read(offset, count)


class Objects:
    """The kernel's objects of one session."""

    def __init__(self, setting: "Setting", kernel: "Kernel") -> None:
        self._setting, self._kernel = setting, kernel
        self.firing = 0
        self._known: OrderedDict[tuple[int, CType | None], tuple[int, Any]] = OrderedDict()
        self._place = PLACE
        self.machine: Any = None
        self._kept: list[Any] = []
        self._buffers: OrderedDict[tuple, Any] = OrderedDict()
        self.threads = Threads()
        types = setting.env.types
        self._named = {"kthread_t": types.lookup("struct _kthread"), "buf_t": types.lookup("struct buf")}

    def attach(self, machine: "Machine") -> None:
        """Serve a machine: its packing of objects, the kernel's variables."""
        self.machine = machine
        machine.pack = lambda what: self.address(what, self._named.get("kthread_t"))
        for tag in ("dev_info", "ddi_minor_data", "ddi_minor"):
            kind = resolve(self._setting.env.types.lookup(f"struct {tag}"))
            machine.layout |= {member.name: member.offset // 8 for member in kind.members}
        install(self, self._setting.symbols)

    def variable(self, what: Any, kind: CType) -> bytes:
        """The bytes of a kernel variable; a pointer to several structures is followed by them."""
        base = resolve(kind)
        if isinstance(base, Pointer) and isinstance(what, list):
            to = resolve(base.to)
            address = self.machine.memory.map(b"".join(self.pack(part, to) for part in what))
            self._kept.append(what)
            return address.to_bytes(8, "little")
        return self.pack(what, kind) if what is not None else bytes(8)

    # ---- addresses

    def address(self, what: Any, kind: CType | None) -> int:
        """The address of an object that is to be seen as a type; without one it is memory of zeros."""
        key = (id(what), kind)
        found = self._known.get(key)
        if found is not None:
            self._known.move_to_end(key)
            return found[0]
        region = ObjectRegion(self, what, kind) if kind is not None else Region(bytes(64))
        address = self.machine.memory.map(region, address=self._place)
        self._place = address + (-(-region.limit >> PAGE_SHIFT) << PAGE_SHIFT)
        self._known[key] = address, what
        if len(self._known) > KEEP:
            _, (old, _) = self._known.popitem(last=False)
            self.machine.memory.unmap(old)
        return address

    def word(self, value: Any, kind: CType | None) -> int:
        """A Python value as a register holds it, seen as a C type."""
        if isinstance(value, int):
            return value & M64
        if value is None:
            return 0
        if isinstance(value, str | bytes):
            text = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
            return self.machine.memory.intern(text, isinstance(value, Userland))
        if isinstance(value, float):
            return int(value) & M64
        base = resolve(kind) if kind is not None else None
        own = getattr(value, "ctype", None)
        if own is not None and not (isinstance(base, Pointer) and isinstance(resolve(base.to), Struct)):
            return self.address(value, self._setting.env.types.lookup(own))
        if isinstance(base, Pointer):
            return self.address(value, _target(base))
        return self.address(value, base if isinstance(base, Struct) else None)

    # ---- bytes

    def pack(self, what: Any, kind: CType) -> bytes:
        """An object's bytes."""
        base = resolve(kind)
        size = sizeof(base)
        if isinstance(base, Struct):
            out = bytearray(size)
            self._struct(out, 0, what, base)
            return bytes(out)
        if isinstance(base, Array):
            if isinstance(what, str | bytes):
                return self._bytes(what, size)
            step = sizeof(base.of)
            return b"".join(self.pack(part, base.of) for part in list(what)[: base.count]).ljust(size, b"\0")[: size or step]
        if isinstance(base, Integer | Enum) and not isinstance(what, int | float):
            return bytes(size)
        if isinstance(base, Integer | Enum | Pointer):
            return (self.word(what, base) & (1 << 8 * size) - 1).to_bytes(size, "little") if size else b""
        if isinstance(base, Float):
            return bytes(size)
        return bytes(size)

    @staticmethod
    def _bytes(what: str | bytes, size: int) -> bytes:
        """An array of characters: text ends in a NUL, bytes are as they are."""
        if isinstance(what, str):
            return what.encode("utf-8", "surrogateescape")[: size - 1].ljust(size, b"\0")
        return what[:size].ljust(size, b"\0")

    def _struct(self, out: bytearray, at: int, what: Any, kind: Struct) -> None:
        get = what.get if isinstance(what, Mapping) else lambda name: _member(what, name)
        for member in kind.members:
            base = resolve(member.type)
            if not member.name and isinstance(base, Struct):
                self._struct(out, at + member.offset // 8, what, base)
                continue
            value = get(member.name)
            if value is None:
                continue
            if member.bitfield:
                bits = member.offset + 8 * at
                word = (int(value) & (1 << base.bits) - 1) << bits % 8  # type: ignore[union-attr]
                for n in range((base.bits + bits % 8 + 7) // 8):  # type: ignore[union-attr]
                    out[bits // 8 + n] |= word >> 8 * n & 0xFF
                continue
            data = self.pack(value, base)
            start = at + member.offset // 8
            out[start : start + len(data)] = data

    # ---- firings

    def converter(self, probe: Any) -> Callable[[tuple], tuple] | None:
        """What turns a firing's arguments into words, for a probe's native types."""
        native = self._native(probe)
        if probe.provider == "io":
            return self._io

        def convert(args: tuple) -> tuple:
            self.firing += 1
            return tuple([
                value if type(value) is int else self.word(value, native[n] if n < len(native) else None)
                for n, value in enumerate(args)
            ])  # fmt: skip

        return convert

    def _io(self, args: tuple) -> tuple:
        """The one argument of the io provider's probes, a `buf_t *`; a model may fire what it stands for in three parts."""
        self.firing += 1
        if len(args) != 3:
            return tuple([self.word(value, self._pointer_to_buf()) for value in args])
        key = Buf.key(*args)
        buf = self._buffers.get(key)
        if buf is None:
            buf = self._buffers[key] = Buf()
            if len(self._buffers) > KEEP // 2:
                self._buffers.popitem(last=False)
        buf.take(*args)
        return (self.address(buf, self._named["buf_t"]),)

    def _pointer_to_buf(self) -> CType:
        kind = self._named["buf_t"]
        assert kind is not None
        return self._setting.env.types.pointer(kind)

    def _native(self, probe: Any) -> list[CType | None]:
        args = probe.args if getattr(probe, "source", None) is not None else None
        if not args:
            return []
        found: list[CType | None] = [None] * (max(arg.mapping for arg in args) + 1)
        for arg in args:
            found[arg.mapping] = arg.native
        return found


def _member(what: Any, name: str) -> Any:
    """An attribute by the C member's name, or by that without C's prefix (`spa_name`: `name`); no methods."""
    found = getattr(what, name, None)
    if found is None and "_" in name:
        found = getattr(what, name.partition("_")[2], None)
    return None if callable(found) else found


def _target(pointer: Pointer) -> CType | None:
    to = resolve(pointer.to)
    if isinstance(to, Struct):
        return to if to.complete else None
    return to if isinstance(to, Integer | Pointer | Enum) and sizeof(to) else None

