"""How large a program is when it is handed to the kernel: the kernel takes no more than 8 MB, so that a program is bounded.

The real tool lays a program out as DOF: for each clause a section for its description, its actions and itself, and for
each DIF object a header and a section for each of its tables. Here nothing is laid out; the sections' sizes are added
up. Left out: the table of strings that all sections share. Follows `sys/dtrace.h` and libdtrace's `dt_dof.c`.
"""

from smartos.dtrace.dif import Difo
from smartos.dtrace.errors import DError
from smartos.dtrace.program import EcbDesc, Program

MOST = 8 << 20
_SECTION, _PROBE, _ACTION, _CLAUSE, _TYPE, _VARIABLE = 32, 24, 32, 24, 8, 24


def _difo(difo: Difo) -> int:
    tables = [size for size in (
        4 * len(difo.code), 8 * len(difo.ints), len(difo.strings) if len(difo.strings) > 1 else 0, _VARIABLE * len(difo.vars),
    ) if size]  # fmt: skip
    return _SECTION + _TYPE + sum(4 + _SECTION + size for size in tables)


def _clause(ecb: EcbDesc) -> int:
    difos = [action.difo for action in ecb.actions] + [ecb.predicate]
    own = 2 * _SECTION + _PROBE + _CLAUSE + (_SECTION + _ACTION * len(ecb.actions) if ecb.actions else 0)
    return own + sum(_difo(difo) for difo in difos if difo is not None)


def size(program: Program) -> int:
    """Bytes of the program as DOF."""
    return sum(map(_clause, program.ecbs))


def check(program: Program) -> None:
    """Refuse a program that is too large. Raises :class:`DError`."""
    if size(program) >= MOST:
        raise DError("", "DIF program exceeds maximum program size")
