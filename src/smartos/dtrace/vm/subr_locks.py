"""Subroutines about locks and messages of the kernel: mutex_owned() and its like, rw_*_held(), msgsize(), msgdsize().

They read the structures as amd64 has them: a mutex is a word that holds its owner, with flags in the low bits; a
readers-writer lock is a word of owner or count and flags; a message is a list of blocks. Follows `dtrace_dif_subr`,
`sys/mutex_impl.h`, `sys/rwlock_impl.h` and `sys/stream.h`.
"""

from typing import TYPE_CHECKING

from smartos.dtrace.dif import Subr
from smartos.dtrace.vm.fault import Fault, FaultKind
from smartos.dtrace.vm.memory import TOP
from smartos.dtrace.vm.subr import Subroutine, arg

if TYPE_CHECKING:
    from smartos.dtrace.vm.machine import Run

DEAD, OWNER = 0x6, TOP - 7  # of a mutex
SPIN_HELD = 0xFF  # in the first byte of a spin mutex, whose lock is the second
WRITE_WANTED, WRITE_LOCKED = 2, 4  # of a readers-writer lock; bit 0 says that somebody waits
WRITE_CLAIMED = WRITE_WANTED | WRITE_LOCKED
RW_LOCKED = TOP - 7  # a count of readers, or an owner and WRITE_LOCKED
B_CONT, B_RPTR, B_WPTR, B_DATAP, DB_TYPE = 0x10, 0x18, 0x20, 0x28, 0x19  # offsets in mblk_t and dblk_t
MOST_BLOCKS = 128


def _word(run: "Run", args: list[int]) -> int:
    address = arg(args, 0)
    run.readable(address, 8)
    return run.memory.load(address, 8)


def mutex_owned(run: "Run", args: list[int]) -> int:
    """Whether somebody holds the mutex."""
    word = _word(run, args)
    return int(bool(word & OWNER)) if not word & DEAD else int(bool(word >> 8 & 0xFF))


def mutex_owner(run: "Run", args: list[int]) -> int:
    """The thread that holds an adaptive mutex, or 0."""
    word = _word(run, args)
    return word & OWNER if not word & DEAD else 0


def mutex_type_adaptive(run: "Run", args: list[int]) -> int:
    """Whether the mutex is one that lets a thread sleep."""
    return int(not _word(run, args) & DEAD)


def mutex_type_spin(run: "Run", args: list[int]) -> int:
    """Whether the mutex is one that spins."""
    return int(_word(run, args) & 0xFF == SPIN_HELD)


def rw_read_held(run: "Run", args: list[int]) -> int:
    """Whether readers hold the lock."""
    word = _word(run, args)
    return int(bool(word & RW_LOCKED) and not word & WRITE_LOCKED)


def rw_write_held(run: "Run", args: list[int]) -> int:
    """Whether this very thread holds the lock as its writer."""
    thread = run.frame.word(run.frame.get("curthread"))
    return int(_word(run, args) & (OWNER | WRITE_LOCKED) == thread | WRITE_LOCKED)


def rw_iswriter(run: "Run", args: list[int]) -> int:
    """Whether a writer holds the lock or waits for it."""
    return int(bool(_word(run, args) & WRITE_CLAIMED))


def _size(data_only: bool) -> Subroutine:
    def size(run: "Run", args: list[int]) -> int:
        block, total, memory = arg(args, 0), 0, run.memory
        for _ in range(MOST_BLOCKS + 2):
            if not block:
                return total
            run.readable(block, 64)
            end, start = memory.load(block + B_WPTR, 8), memory.load(block + B_RPTR, 8)
            if end < start:
                raise Fault(FaultKind.BADADDR, args[0])
            data, block = memory.load(block + B_DATAP, 8), memory.load(block + B_CONT, 8)
            if not data_only or memory.load(data + DB_TYPE, 1) == 0:
                total += end - start
        raise Fault(FaultKind.ILLOP)

    return size


SUBROUTINES: dict[int, Subroutine] = {
    Subr.MUTEX_OWNED: mutex_owned, Subr.MUTEX_OWNER: mutex_owner, Subr.MUTEX_TYPE_ADAPTIVE: mutex_type_adaptive,
    Subr.MUTEX_TYPE_SPIN: mutex_type_spin, Subr.RW_READ_HELD: rw_read_held, Subr.RW_WRITE_HELD: rw_write_held,
    Subr.RW_ISWRITER: rw_iswriter, Subr.MSGSIZE: _size(False), Subr.MSGDSIZE: _size(True),
}  # fmt: skip
