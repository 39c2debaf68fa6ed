"""Subroutines that write internet addresses: inet_ntoa(), inet_ntoa6(), inet_ntop().

An IPv6 address has its longest run of zero groups (two at least, the first of equals) as `::`; one that maps or embeds an
IPv4 address ends in dots, and of inet_ntoa6() only those are left. Follows `dtrace_dif_subr`.
"""

from typing import TYPE_CHECKING

from smartos.dtrace.dif import Subr
from smartos.dtrace.vm.fault import Fault, FaultKind
from smartos.dtrace.vm.subr import Subroutine, arg

if TYPE_CHECKING:
    from smartos.dtrace.vm.machine import Run

AF_INET, AF_INET6 = 2, 26
ROOM4, ROOM6 = 16, 46


def inet_ntoa(run: "Run", args: list[int]) -> int:
    """The dotted form of the IPv4 address at an address."""
    return _four(run, arg(args, 0))


def inet_ntoa6(run: "Run", args: list[int]) -> int:
    """The written form of the IPv6 address at an address."""
    return _six(run, arg(args, 0), bare=True)


def inet_ntop(run: "Run", args: list[int]) -> int:
    """Either, by the address family."""
    family = arg(args, 0) & 0xFFFFFFFF
    if family == AF_INET:
        return _four(run, arg(args, 1))
    if family == AF_INET6:
        return _six(run, arg(args, 1), bare=False)
    raise Fault(FaultKind.ILLOP)


def _four(run: "Run", address: int) -> int:
    run.readable(address, 4)
    return _right(run, dotted(run.memory.load(address, 4).to_bytes(4, "little")), ROOM4)


def _six(run: "Run", address: int, bare: bool) -> int:
    run.readable(address, 16)
    return _right(run, colons(run.memory.read(address, 16), bare), ROOM6)


def _right(run: "Run", text: str, room: int) -> int:
    place = run.frame.allocate(room) + room - 1 - len(text)
    run.memory.write(place, text.encode() + b"\0")
    return place


def dotted(address: bytes) -> str:
    """Four bytes as decimal numbers with dots."""
    return ".".join(map(str, address))


def _zeros(address: bytes) -> tuple[int, int]:
    """First byte and length of the run of zero groups that is written `::`; (-1, 1) if there is none.

    As in the kernel, a run may be cut short by the byte after it that is not zero, and one that reaches the last byte
    counts its group.
    """
    best, length, start = -1, 1, -1
    for at, byte in enumerate(address):
        if byte == 0 and start < 0 and at % 2 == 0:
            start = at
        elif start >= 0 and (byte or at == 15):
            if at - start > length:
                best, length = start, at - at % 2 - start + (2 if not byte and at == 15 else 0)
            start = -1
    return best, length


def colons(address: bytes, bare: bool) -> str:
    """Sixteen bytes as an IPv6 address. `bare` leaves only the dotted part of one that holds an IPv4 address."""
    words = [int.from_bytes(address[at : at + 2], "big") for at in range(0, 16, 2)]
    mapped = not any(words[:5]) and words[5] == 0xFFFF
    compatible = not any(words[:6]) and int.from_bytes(address[12:], "big") > 1
    tail = dotted(address[12:]) if mapped or compatible else ""
    if tail and bare:
        return tail
    first, length = _zeros(address)
    text, at = tail, 10 if tail else 14
    while at >= 0:
        if at == first + length - 2:
            text = "::" + text
            at = first - 2
            continue
        if at < 14 and at != first - 2:
            text = ":" + text
        text = f"{words[at // 2]:x}" + text
        at -= 2
    return text


SUBROUTINES: dict[int, Subroutine] = {
    Subr.INET_NTOA: inet_ntoa, Subr.INET_NTOA6: inet_ntoa6, Subr.INET_NTOP: inet_ntop,
}  # fmt: skip
