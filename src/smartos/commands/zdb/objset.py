"""Object sets as zdb -d lists them: the MOS, then every filesystem and volume behind its snapshots.

Left out: redaction lists, and lists of blocks that a removal of a vdev left. Follows
`dump_objset` of `zdb.c` and `dmu_objset_find` of `dmu_objset.c`.
"""

from collections.abc import Iterator, Sequence

from smartos.commands.zdb.lists import dump_deadlist
from smartos.commands.zdb.log import dump_intent_log
from smartos.commands.zdb.objects import HEADING, object_lines
from smartos.commands.zdb.text import Dump, blkptr_text, fill_of, type_text
from smartos.commands.zdb.view import View
from smartos.commands.zdb.zap import Table
from smartos.output import CommandError
from smartos.zfs.dmu.dnode import Dnode
from smartos.zfs.dmu.objset import GROUPUSED, PROJECTUSED, USERUSED, Objset
from smartos.zfs.errors import NoSuchName, NoSuchObject, ZfsError
from smartos.zfs.format import compress
from smartos.zfs.format import types as dmu
from smartos.zfs.format.blkptr import Blkptr
from smartos.zfs.read import dsl
from smartos.zfs.read.dataset import Dataset
from smartos.zfs.read.pool import Pool

TXG_INITIAL = 4
BOOKMARKS, CRYPTO_KEY, LIVELIST = "com.delphix:bookmarks", "com.datto:crypto_key_obj", "com.delphix:livelist"
FILES, DIRECTORIES, MAPS, ZAPS, ALL = 1, 2, 4, 8, -1
FLAGS = {"f": FILES, "d": DIRECTORIES, "m": MAPS, "z": ZAPS, "A": ALL}
Range = tuple[int, int, int]


def datasets(pool: Pool, name: str = "", number: int = 0) -> Iterator[Dataset]:
    """Every dataset in zdb's order: below a directory its children, then the snapshots, then itself."""
    name, number = name or pool.name, number or pool.directory[dsl.ROOT_DATASET]
    directory = pool.dsl_dir(number)
    if directory.child_dir_zapobj:
        for entry in Table(pool.mos, directory.child_dir_zapobj).entries:
            if not str(entry.name).startswith("$"):
                yield from datasets(pool, f"{name}/{entry.name}", entry.ints[0])
    if not directory.head_dataset_obj:
        return
    head = Dataset(pool, name, directory.head_dataset_obj, number)
    if head.phys.snapnames_zapobj:
        for entry in Table(pool.mos, head.phys.snapnames_zapobj).entries:
            yield Dataset(pool, f"{name}@{entry.name}", entry.ints[0], number)
    yield head


def by_number(pool: Pool, number: int) -> Dataset:
    """The dataset with this object number in the MOS. Raises :class:`NoSuchName`."""
    for each in datasets(pool):
        if each.object == number:
            return each
    raise NoSuchName(f"no dataset of the pool has the number {number}")


def object_range(word: str) -> Range:
    """An object, or start:end[:flags]. Raises :class:`CommandError` as zdb says it."""

    def bad(what: str) -> CommandError:
        return CommandError(f"zdb: Bad object or range: '{word}': {what}\n")

    def number(text: str, what: str) -> int:
        try:
            return int(text, 0) % (1 << 64)
        except ValueError:
            raise bad(what) from None

    if ":" not in word:
        found = number(word, "Invalid characters in object ID")
        return found, found, 0
    if word.startswith(":"):
        raise bad("Invalid leading colon")
    if word.endswith(":"):
        raise bad("Invalid trailing colon")
    first, last, *flags = word.split(":")
    start = number(first, "Invalid characters in start object ID")
    end = number(last, "Invalid characters in end object ID")
    if start > end:
        raise bad("Start object ID may not exceed end object ID")
    if len(flags) > 1:
        raise bad("Invalid colon-delimited field after flags")
    if not flags:
        return start, end, ALL
    bits, letters = 0, iter(flags[0])
    for letter in letters:
        negated = letter == "-"
        if negated and (letter := next(letters, "")) == "":
            raise bad("Invalid trailing negation operator")
        if letter not in FLAGS:
            raise bad("Invalid flag")
        bits = bits & ~FLAGS[letter] if negated else bits | FLAGS[letter]
    return start, end, bits


def _matches(kind: int, flags: int) -> bool:
    if flags in (0, ALL):
        return True
    one = {dmu.DIRECTORY_CONTENTS: DIRECTORIES, dmu.PLAIN_FILE_CONTENTS: FILES, dmu.SPACE_MAP: MAPS}.get(kind)
    if one is None and type_text(kind) == "zap":
        one = ZAPS
    return bool(flags & one) if one is not None else flags | 0xF == ALL


class ObjsetDump:
    """The listing of one object set; `dataset` is None for the MOS."""

    def __init__(self, dump: Dump, dataset: Dataset | None) -> None:
        self.dump, self.dataset, self.pool = dump, dataset, dump.pool
        self.root: Blkptr = dataset.phys.bp if dataset else self.pool.uberblock.rootbp
        self.objset: Objset | None = None
        if not self.root.hole:
            self.objset = dataset.objset if dataset else self.pool.mos
        self.header = True

    def run(self, ranges: Sequence[Range] = ()) -> None:
        """All of it, or only the objects in the ranges."""
        dump, dataset, depth = self.dump, self.dataset, self.dump.opt["d"]
        dump.say(self._heading())
        if ranges:
            for each in ranges:
                self._range(*each)
            dump.say()
            return
        if (dump.opt["i"] or depth >= 2) and not (dataset and dataset.is_snapshot):
            dump_intent_log(dump, self.objset)
        if dataset is not None:
            dump_deadlist(dump, dataset.phys.deadlist_obj)
            if not dataset.is_snapshot:
                dump_deadlist(dump, livelist_of(self.pool, dataset), "Livelist")
            refer(dump, dataset)
        if dataset is not None and depth >= 4:
            self._bookmarks(dataset)
        if depth >= 2 and self.objset is not None:
            self._objects()

    def _bookmarks(self, dataset: Dataset) -> None:
        """A dataset's bookmarks: what is left of snapshots from which a send may go on."""
        if not self.pool.mos.dnode(dataset.object).type & dmu.NEWTYPE:
            return
        number = self.pool.mos.zap(dataset.object).get(BOOKMARKS)
        for entry in Table(self.pool.mos, number).entries if isinstance(number, int) else ():
            guid, txg, when, redacted = [*entry.ints, 0, 0, 0, 0][:4]
            self.dump.say(
                f"\t#{entry.name}: {{guid: {guid:x} creation_txg: {txg} creation_time: {when} redaction_obj: {redacted}}}"
            )

    def _heading(self) -> str:
        if self.dataset is None:
            kind, number, txg, size = "META", 0, TXG_INITIAL, self._mos_size()
        else:
            phys = self.dataset.phys
            kind, number, txg, size = self.dataset.type, self.dataset.object, phys.creation_txg, phys.referenced_bytes
        name = self.dataset.name if self.dataset else "mos"
        rootbp = f", rootbp {blkptr_text(self.root)}" if self.dump.opt["d"] >= 4 else ""
        broken = self.dataset is not None and self.dataset.phys.flags & dsl.FLAG_INCONSISTENT
        return (
            f"Dataset {name} [{kind}], ID {number}, cr_txg {txg}, {self.dump.nice(size)}, {fill_of(self.root)} objects"
            f"{rootbp}{' (inconsistent)' if broken else ''}"
        )

    def _mos_size(self) -> int:
        children = self.pool.dsl_dir(self.pool.directory[dsl.ROOT_DATASET]).child_dir_zapobj
        number = self.pool.mos.zap(children).get(dsl.MOS_DIR) if children else None
        return self.pool.dsl_dir(number).used_bytes if isinstance(number, int) else 0

    def _compression(self) -> str:
        """What the object set compresses with; a snapshot writes nothing and has no such thing."""
        if self.dataset is None:
            return compress.name_of(compress.ON)
        if self.dataset.is_snapshot:
            return compress.name_of(compress.INHERIT)
        value, _ = self.dataset.property("compression")
        kind = (value if isinstance(value, int) else compress.OFF) & 0x7F
        if kind in (compress.INHERIT, compress.ON):
            lz4 = self.pool.features.get("org.illumos:lz4_compress", 0)
            kind = compress.LZ4 if lz4 else compress.LZJB
        return compress.name_of(kind)

    # ---- objects

    def _view(self) -> View:
        return View(self.dump, self.objset, self.root.crypt)

    def _object(self, view: View, number: int, dnode: Dnode, compression: str, flags: int = 0) -> None:
        if self.header:
            self.dump.say()
            self.dump.say(HEADING)
            self.header = False
        if not _matches(dnode.type, flags):
            return
        for line in object_lines(view, number, dnode, compression):
            self.dump.say(line)
        if self.dump.opt["d"] >= 4:
            self.header = True

    def _range(self, start: int, end: int, flags: int) -> None:
        if self.objset is None:
            return
        view, compression = self._view(), self._compression()
        if start == 0 or start == end:
            signed = start - (1 << 64) if start >> 63 else start
            try:
                dnode = self.objset.dnode(signed)
            except NoSuchObject:
                error = CommandError("zdb: dmu_object_info() failed, errno 2")
                if self.header:
                    self.dump.say()
                    self.dump.say(HEADING)
                raise error from None
            self._object(view, signed, dnode, compression, flags)
        if start < end:
            for number, dnode in self.objset.objects():
                if number > end:
                    break
                if number >= max(start, 1):
                    self._object(view, number, dnode, compression, flags)

    def _objects(self) -> None:
        dump, view, compression = self.dump, self._view(), self._compression()
        phys = self.objset.phys
        self._object(view, 0, phys.meta_dnode, compression)
        counts = ((USERUSED, phys.userused), (GROUPUSED, phys.groupused), (PROJECTUSED, phys.projectused))
        for number, dnode in counts:
            if dnode is not None and dnode.type != dmu.NONE:
                self._object(view, number, dnode, compression)
        slots = last = 0
        for number, dnode in self.objset.objects():
            self._object(view, number, dnode, compression)
            slots += dnode.extra_slots + 1
            last = number + dnode.extra_slots
        empty = f"{(last - slots) * 100 / last:10f}" if last else f"{'-nan':>10}"
        dump.say()
        dump.say("    Dnode slots:")
        dump.say(f"\tTotal used:    {slots:10}")
        dump.say(f"\tMax used:      {last:10}")
        dump.say(f"\tPercent empty: {empty}")
        dump.say()
        if view.leaked:
            dump.say(f"{view.leaked} potentially leaked objects detected")


def refer(dump: Dump, dataset: Dataset) -> None:
    """Note which objects of the MOS a dataset takes, and if it is no snapshot, its directory."""
    phys = dataset.phys
    dump.referenced.update((dataset.object, phys.next_clones_obj, phys.props_obj, phys.userrefs_obj))
    dump.referenced.add(phys.snapnames_zapobj)
    dump.referenced.update(_own(dump.pool, dataset.object))
    if not dataset.is_snapshot:
        refer_directory(dump, dataset.dir_object)


def refer_directory(dump: Dump, number: int) -> None:
    """Note which objects of the MOS a DSL directory takes."""
    phys = dump.pool.dsl_dir(number)
    dump.referenced.update((number, phys.child_dir_zapobj, phys.deleg_zapobj, phys.props_zapobj, phys.clones))
    dump.referenced.update(_own(dump.pool, number))


def livelist_of(pool: Pool, dataset: Dataset) -> int:
    """The object with a clone's live list: what it allocated and freed since it was made; 0 when it has none."""
    number = dataset.dir_object
    table = pool.mos.zap(number) if pool.mos.dnode(number).type & dmu.NEWTYPE else {}
    found = table.get(LIVELIST, 0)
    return found if isinstance(found, int) else 0


def _own(pool: Pool, number: int) -> list[int]:
    """The objects in the table that newer pools keep in a dataset's or a directory's own object."""
    if not pool.mos.dnode(number).type & dmu.NEWTYPE:
        return []
    table = pool.mos.zap(number)
    return [table[name] for name in (BOOKMARKS, CRYPTO_KEY) if isinstance(table.get(name), int)]


def dump_all(dump: Dump) -> None:
    """Every dataset; one that cannot be read to its end is told of and passed by, where the real one would abort."""
    for each in datasets(dump.pool):
        try:
            ObjsetDump(dump, each).run()
        except ZfsError as error:
            dump.errors.append(f"zdb: {each.name}: {error}")
            dump.status = 1

