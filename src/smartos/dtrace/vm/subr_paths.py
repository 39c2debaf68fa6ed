"""Subroutines about paths: basename(), dirname(), cleanpath(), and ddi_pathname() of a device's node.

Follows `dtrace_dif_subr`.
"""

from typing import TYPE_CHECKING

from smartos.dtrace.dif import Subr
from smartos.dtrace.vm.fault import Fault, FaultKind
from smartos.dtrace.vm.memory import TOP
from smartos.dtrace.vm.subr import Subroutine, arg
from smartos.dtrace.vm.subr_strings import put

if TYPE_CHECKING:
    from smartos.dtrace.vm.machine import Run

DEEPEST = 33  # levels of a device tree
DS_INITIALIZED = 3  # a node's state from which on it has an address


def basename(run: "Run", args: list[int]) -> int:
    """The last component of a path."""
    text = run.text(arg(args, 0))
    bare = text.rstrip(b"/")
    return put(run, bare[bare.rfind(b"/") + 1 :] if bare else text[:1] or b".")


def dirname(run: "Run", args: list[int]) -> int:
    """A path without its last component."""
    text = run.text(arg(args, 0))
    bare = text.rstrip(b"/")
    if not bare:
        return put(run, text[:1] or b".")
    slash = bare.rfind(b"/")
    return put(run, bare[:slash].rstrip(b"/") or b"/" if slash >= 0 else b".")


def cleanpath(run: "Run", args: list[int]) -> int:
    """A path without `//`, `/./` and `/../`."""
    return put(run, clean(run.text(arg(args, 0)), run.machine.limits.strsize))


def clean(path: bytes, size: int) -> bytes:
    """What cleanpath() makes of a path, with room for `size` bytes.

    It stops four bytes before the room ends. It takes back a component for `/../` by looking for a slash in what it has,
    so a relative path's first component is lost (`a/../b` becomes `/b`) except at the end (`a/..` stays `a`).
    """
    out, used, at = bytearray(size), 0, 0
    source = path + b"\0\0\0\0"
    while used + 5 < size:
        part, skip = _component(source, at)
        at += skip
        if part == b"..":
            used = max(out.rfind(b"/", 0, used), 0)
            if not source[at]:
                used += 1
                break
            continue
        out[used : used + len(part)] = part
        used += len(part)
        if part[-1:] == b"\0":
            break
    return bytes(out[:used]).partition(b"\0")[0]


def _component(source: bytes, at: int) -> tuple[bytes, int]:
    """What the bytes at a place of a path come to, `..` for a step back, and how many of them are used up."""
    if source[at] != 0x2F:
        return source[at : at + 1], 1
    if source[at + 1] == 0x2F:
        return b"", 1
    if source[at + 1 : at + 3] == b"./":
        return b"", 2
    if source[at + 1 : at + 3] == b".." and source[at + 3] in b"/\0":
        return b"..", 3
    length = 2 if source[at + 1] != 0x2E else 3 if source[at + 2] != 0x2E else 4
    return source[at : at + length], length


def ddi_pathname(run: "Run", args: list[int]) -> int:
    """The path of a device's node under /devices, with the name of a minor unless that is -1.

    It is put together from its end. A list of minors that goes in a circle is an illegal operation, and so is a tree
    that is too deep; a path that is too long is out of scratch space.
    """
    node, minor, size = arg(args, 0), arg(args, 1), run.machine.limits.strsize
    if not run.frame.kernel:
        raise Fault(FaultKind.KPRIV, node)
    if run.frame.scratch + size > run.frame.limit:
        raise Fault(FaultKind.NOSCRATCH)
    path = _minor(run, node, minor) if minor != TOP else b""
    for _ in range(DEEPEST + 1):
        if run.memory.load(node + _offset(run, "devi_node_state", node), 4) in range(DS_INITIALIZED, 1 << 31):
            address = _string(run, node + _offset(run, "devi_addr", node))
            path = (b"@" + address if address else b"") + path
        name = run.memory.load(node + _offset(run, "devi_node_name", node), 8)
        node = run.memory.load(node + _offset(run, "devi_parent", node), 8)
        path = b"/" + (run.memory.string(name, size) if node else b"devices") + path
        if len(path) >= size:
            raise Fault(FaultKind.NOSCRATCH)
        if not node:
            return put(run, path)
    raise Fault(FaultKind.ILLOP)


def _offset(run: "Run", member: str, address: int) -> int:
    """Where a member is in its structure; without the kernel's types nothing can be at the address."""
    if member not in run.machine.layout:
        raise Fault(FaultKind.BADADDR, address)
    return run.machine.layout[member]


def _string(run: "Run", pointer: int) -> bytes:
    return run.memory.string(run.memory.load(pointer, 8), run.machine.limits.strsize)


def _minor(run: "Run", node: int, number: int) -> bytes:
    """`:name` of the minor of that number, empty if the device has none such."""
    memory, seen = run.memory, set()
    entry = memory.load(node + _offset(run, "devi_minor", node), 8)
    inner = _offset(run, "d_minor", node)
    while entry and entry not in seen:
        seen.add(entry)
        if memory.load(entry + inner + _offset(run, "dev", node), 8) & 0xFFFFFFFF == number:
            name = _string(run, entry + inner + _offset(run, "name", node))
            return b":" + name if name else b""
        entry = memory.load(entry + _offset(run, "next", node), 8)
    if entry:
        raise Fault(FaultKind.ILLOP)
    return b""


SUBROUTINES: dict[int, Subroutine] = {
    Subr.BASENAME: basename, Subr.DIRNAME: dirname, Subr.CLEANPATH: cleanpath, Subr.DDI_PATHNAME: ddi_pathname,
}  # fmt: skip
