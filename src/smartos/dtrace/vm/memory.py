"""The memory that a D program may look at: 64-bit addresses, most of which fault.

A region is what is mapped at an address. Kernel regions lie high, where amd64's kernel heap is, and a user process's
low. Every region begins in a page of its own, and what is left of its last page reads as zeros, so that looking a few
bytes past an object shows nothing, as in a kernel it mostly would, instead of faulting.

Left out: protection bits, and more than one user process at a time; whose memory the low half is, the probe's context
says. Follows `dtrace_load8` to `dtrace_load64`, `dtrace_strlen`, `dtrace_bcopy` and the toxic range of amd64.
"""

from collections import deque
from collections.abc import Callable

from smartos.dtrace.vm.fault import Fault, FaultKind

PAGE_SHIFT = 16
KERNEL = 0xFFFF_FF01_4000_0000  # where kernel regions begin
USER = 0x0805_0000  # and a user process's
USER_LIMIT = 0xFFFF_FD7F_FFE0_0000  # below it nothing is the kernel's; a load of the kernel's from there faults
TOP = (1 << 64) - 1
_SLACK = 4096
_REST = 1024  # places that were given back wait until there are more than so many: a stale pointer mostly faults


class Region:
    """Bytes at an address. `store` lets D programs write there: their own variables and scratch space only."""

    __slots__ = ("base", "data", "size", "store", "text")

    def __init__(self, data: bytes | bytearray | memoryview, store: bool = False) -> None:
        self.data, self.size, self.store = data, len(data), store
        self.base = 0
        self.text = b""  # of a variable: the string that it was last found to hold; empty when not known

    @property
    def limit(self) -> int:
        """How far from its base it can be read."""
        return max(self.size + -self.size % _SLACK, _SLACK)

    def read(self, offset: int, count: int) -> bytes:
        """`count` bytes from an offset; zeros past the end."""
        return bytes(self.data[offset : offset + count]).ljust(count, b"\0")

    def write(self, offset: int, data: bytes) -> None:
        """Replace bytes."""
        self.data[offset : offset + len(data)] = data  # type: ignore[index]
        self.text = b""


class LazyRegion(Region):
    """A region whose bytes are made when somebody first looks: `fill()` gives them."""

    __slots__ = ("fill",)

    def __init__(self, size: int, fill: Callable[[], bytes]) -> None:
        super().__init__(b"")
        self.size, self.fill = size, fill

    def read(self, offset: int, count: int) -> bytes:
        """As a region does, after filling it."""
        if not self.data and self.size:
            self.data = self.fill().ljust(self.size, b"\0")
        return super().read(offset, count)


class Memory:
    """Regions by address."""

    def __init__(self, strings: int = 65536) -> None:
        self.pages: dict[int, Region] = {}
        self._next = {False: KERNEL, True: USER}
        self._strings: dict[tuple[bytes, bool], int] = {}
        self._keep = strings
        self._free: deque[int] = deque()  # kernel pages that were unmapped

    def map(self, what: bytes | bytearray | memoryview | Region, user: bool = False, address: int | None = None) -> int:
        """Give bytes (or a region) an address: the next free one, or `address`, a multiple of 65536."""
        region = what if isinstance(what, Region) else Region(what)
        pages = (region.limit - 1 >> PAGE_SHIFT) + 1
        if address is None and pages == 1 and not user and len(self._free) > _REST:
            address = self._free.popleft()
        if address is None:
            address = self._next[user]
            self._next[user] = address + (pages << PAGE_SHIFT)
        region.base = address
        for page in range(address >> PAGE_SHIFT, (address >> PAGE_SHIFT) + pages):
            self.pages[page] = region
        return address

    def unmap(self, address: int) -> None:
        """Take the region at an address away; later loads from it fault."""
        region = self.pages[address >> PAGE_SHIFT]
        pages = range(region.base >> PAGE_SHIFT, (region.base + region.limit - 1 >> PAGE_SHIFT) + 1)
        for page in pages:
            del self.pages[page]
        if len(pages) == 1 and region.base >= KERNEL:
            self._free.append(region.base)

    def intern(self, text: bytes, user: bool = False) -> int:
        """The address of a string that the kernel, or a user process, would have somewhere. The oldest go when there are too many."""
        key = text, user
        address = self._strings.get(key)
        if address is None:
            if len(self._strings) >= self._keep:
                self.unmap(self._strings.pop(next(iter(self._strings))))
            address = self._strings[key] = self.map(text + b"\0", user)
        return address

    def find(self, address: int, user: bool = False) -> Region:
        """The region that an address is in. A fault if there is none, or if the address is of the other half."""
        region = self.pages.get(address >> PAGE_SHIFT)
        if region is None or address - region.base >= region.limit or (address < USER_LIMIT) is not user:
            raise Fault(FaultKind.BADADDR, address)
        return region

    def load(self, address: int, size: int, user: bool = False) -> int:
        """An unsigned little-endian integer. No alignment is asked for, as on x86."""
        region = self.find(address, user)
        if address - region.base + size > region.limit:
            raise Fault(FaultKind.BADADDR, address)
        return int.from_bytes(region.read(address - region.base, size), "little")

    def read(self, address: int, count: int, user: bool = False, target: int = 0) -> bytes:
        """`count` bytes. The kernel copies on after a fault, and the fault's value is the bad address that it met last.

        A copy to a `target` that lies above goes backward, as copies that may overlap do: the lowest address is the last.
        """
        backward = target > address
        out = b""
        while count:
            try:
                region = self.find(address, user)
            except Fault as fault:
                raise Fault(fault.kind, address if backward else address + count - 1 & TOP) from None
            offset = address - region.base
            part = min(count, region.limit - offset)
            out += region.read(offset, part)
            address, count = address + part & TOP, count - part
        return out

    def string(self, address: int, most: int, user: bool = False) -> bytes:
        """The bytes before the first NUL, at most `most`. A fault names the first byte that is not there."""
        out = b""
        while most > 0:
            region = self.find(address, user)
            offset = address - region.base
            part = min(most, region.limit - offset, _SLACK)
            text, nul, _ = region.read(offset, part).partition(b"\0")
            out += text
            if nul:
                break
            address, most = address + part & TOP, most - part
        return out

    def write(self, address: int, data: bytes, user: bool = False) -> None:
        """Store bytes where the machine has already found that it may; the region must hold them all."""
        region = self.find(address, user)
        offset = address - region.base
        if offset + len(data) > region.size or isinstance(region.data, bytes):
            raise Fault(FaultKind.BADADDR, address)
        region.write(offset, data)

    def store(self, address: int, size: int, value: int) -> None:
        """Store an integer."""
        self.write(address, (value & (1 << 8 * size) - 1).to_bytes(size, "little"))

    def can_store(self, address: int, size: int) -> bool:
        """Whether a D program may write those bytes (dtrace_canstore)."""
        region = self.pages.get(address >> PAGE_SHIFT)
        return region is not None and region.store and address - region.base + size <= region.size
