"""Subroutines about paths: basename(), dirname(), cleanpath(), and ddi_pathname(), which has no device to name.

Left out: ddi_pathname()'s walk through the device tree, since this system has none. Follows `dtrace_dif_subr`.
"""

from typing import TYPE_CHECKING

from smartos.dtrace.dif import Subr
from smartos.dtrace.fault import Fault, FaultKind
from smartos.dtrace.subr import Subroutine, arg
from smartos.dtrace.subr_strings import put

if TYPE_CHECKING:
    from smartos.dtrace.machine import Run


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
    """The path of a device node. No device tree exists here, so the address that is given can not be one's."""
    raise Fault(FaultKind.BADADDR, arg(args, 0))


SUBROUTINES: dict[int, Subroutine] = {
    Subr.BASENAME: basename, Subr.DIRNAME: dirname, Subr.CLEANPATH: cleanpath, Subr.DDI_PATHNAME: ddi_pathname,
}  # fmt: skip
