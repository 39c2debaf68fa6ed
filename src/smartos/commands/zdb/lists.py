"""Lists of blocks as zdb -ddd prints them: deferred frees, snapshots' frees, dead lists.

Left out: the list of blocks on removed vdevs. Follows `dump_full_bpobj` and `dump_blkptr_list` of
`zdb.c`, `bpobj.c` and `dsl_deadlist.c`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from smartos.commands.zdb.text import Dump
from smartos.zfs.format import types as dmu
from smartos.zfs.read import dsl
from smartos.zfs.read.dsl import Bpobj, Deadlist
from smartos.zfs.read.pool import Pool


@dataclass
class List:
    """A list of block pointers: its object, its head, and the lists that it borrows."""

    pool: Pool
    number: int

    def __post_init__(self) -> None:
        dnode = self.pool.mos.dnode(self.number)
        self.head = Bpobj.unpack(dnode.bonus, dnode.order)
        self.subs: list[int] = []
        if self.head.subobjs and self.head.num_subobjs:
            self.subs = self.pool.mos.words(self.pool.mos.dnode(self.head.subobjs), self.head.num_subobjs)

    def objects(self) -> Iterator[int]:
        """The objects of the MOS that the list takes, with those of borrowed lists."""
        yield self.number
        if self.head.subobjs:
            yield self.head.subobjs
        for number in self.subs:
            yield from List(self.pool, number).objects()


def dump_list(dump: Dump, number: int, name: str, indent: int = 0) -> None:
    """A list's counts, and with -ddddd its pointers."""
    if dump.opt["d"] < 3:
        return
    each = List(dump.pool, number)
    head, nice = each.head, dump.nice
    start = f"    {name:>{indent * 8}}: object {number}, {head.num_blkptrs}"
    freed = f"{head.num_freed} freed, " if head.size > 48 else ""
    if head.size > 32 and head.subobjs:
        sizes = f"{nice(head.bytes)} ({nice(head.comp)}/{nice(head.uncomp)} comp)"
        dump.say(f"{start} local blkptrs, {freed}{head.num_subobjs} subobjs in object {head.subobjs}, {sizes}")
        for sub in each.subs:
            dump_list(dump, sub, "subobj", indent + 1)
    else:
        dump.say(f"{start} blkptrs, {freed}{nice(head.bytes)}")
    if dump.opt["d"] >= 5 and not indent:
        for pointer in dump.pool.bpobj(number):
            dump.say(f"\t{dump.compact(pointer, bool(pointer.fill & 1))}")
        dump.say()


def dump_deadlist(dump: Dump, number: int, name: str = "Deadlist") -> None:
    """A dead list, or another list of the same form; what objects it takes counts as referred to."""
    pool = dump.pool
    if not number:
        return
    dnode, empty = pool.mos.dnode(number), pool.directory.get(dsl.EMPTY_BPOBJ)
    old = dnode.type == dmu.BPOBJ
    keys = {} if old else dict(sorted((int(key, 16), value) for key, value in pool.mos.zap(number).items()))
    if not old:
        dump.referenced.add(number)
    for each in [number] if old else keys.values():
        if each != empty:
            dump.referenced.update(List(pool, each).objects())
    if dump.opt["d"] < 3:
        return
    if old:
        dump_list(dump, number, "old-format deadlist")
        return
    head, nice = Deadlist.unpack(dnode.bonus, dnode.order), dump.nice
    dump.say()
    dump.say(f"    {name}: {nice(head.used)} ({nice(head.comp)}/{nice(head.uncomp)} comp), {nice(len(keys))} entries")
    if dump.opt["d"] < 4:
        return
    dump.say()
    for txg, each in keys.items():
        line = f"mintxg {txg} -> obj {each}"
        if dump.opt["d"] >= 5:
            dump_list(dump, each, line)
        else:
            dump.say(line)


def dump_waiting(dump: Dump) -> None:
    """The pool's own lists: frees put off to the next transaction group, and those of snapshots."""
    directory = dump.pool.directory
    for key, name in ((dsl.SYNC_BPOBJ, "Deferred frees"), (dsl.FREE_BPOBJ, "Pool snapshot frees")):
        if isinstance(directory.get(key), int):
            dump_list(dump, directory[key], name)
