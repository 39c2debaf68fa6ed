"""`zfs send` and `zfs receive`: snapshots as streams, from one dataset to another.

Left out: streams with properties and of whole trees (`send -R`, `-p`) and deduplicated ones (`-D`). Several snapshots
in a stream (`send -I`) are there: a first record that says so, the streams one after the other, a last record. Follows
`zfs_main.c` and `libzfs_sendrecv.c` of illumos as of 12 August 2011.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from tempfile import TemporaryFile, gettempdir
from typing import BinaryIO

from smartos.commands.system import System
from smartos.commands.text import Usage, nicenum
from smartos.commands.zfs import props as zfs_props
from smartos.commands.zfs.make import make_ancestors, parent
from smartos.commands.zfs.table import FILESYSTEM, VOLUME
from smartos.output import CommandError, Output
from smartos.zfs.errors import Busy, ChecksumError, CorruptPool, Exists, NoSpace, NoSuchName, Unsupported
from smartos.zfs.live.dsl_dataset import LiveDataset
from smartos.zfs.namecheck import dataset_name
from smartos.zfs.spa.spa import Spa
from smartos.zfs.stream import replay
from smartos.zfs.stream.receive import receive_next
from smartos.zfs.stream.replay import Begin, Incoming, Read


def send(system: System, usage: Usage, words: Sequence[str]) -> Output:
    """`zfs send [-[iI] snapshot] snapshot`."""
    options, rest = usage.options("send", words, "i:I:RDpv")
    given = dict(options)
    if "i" in given and "I" in given:
        raise usage.fail("send")
    for letter in "RDp":
        if letter in given:
            raise CommandError(f"zfs send -{letter}: not done here; send one snapshot after the other")
    usage.operands("send", rest, ("missing snapshot argument",), 1)
    if system.terminal:
        raise CommandError("Error: Stream can not be written to a terminal.\nYou must redirect standard output.")
    path, at, snapname = rest[0].partition("@")
    if not at:
        raise usage.fail("send", "argument must be a snapshot")
    pool, head = zfs_props.open_(system, path, FILESYSTEM, VOLUME)
    start, origin = _start(pool, head, usage, path, given.get("i", given.get("I", "")))
    snaps = head.snapshots()
    for name in ([start] if start else []) + [snapname]:
        if name not in snaps:
            raise CommandError(f"WARNING: could not send {path}@{snapname}: does not exist")
    if start and snaps[start].phys.creation_txg >= snaps[snapname].phys.creation_txg:
        raise CommandError(f"warning: cannot send '{path}@{snapname}': not an earlier snapshot from the same fs")
    if "I" not in given:
        return Output(flow=_unmended(pool, pool.sending(f"{path}@{snapname}", start, from_origin=origin)))
    names = list(snaps)
    chosen = names[names.index(start) + 1 if start else 0 : names.index(snapname) + 1]
    streams = [
        pool.sending(f"{path}@{name}", before, from_origin=origin and not before)
        for before, name in zip([start, *chosen], chosen, strict=False)
    ]
    return Output(flow=_unmended(pool, _package(f"{path}@{snapname}", streams)))


def _unmended(pool: Spa, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces, read without mending a bad copy: they are read when the command's turn is over, and so nothing may be
    written. A snapshot's blocks stay where they are; if it is destroyed meanwhile, what is read does not verify."""
    while True:
        pool.root.readonly = True
        try:
            piece = next(pieces, None)
        finally:
            pool.root.readonly = False
        if piece is None:
            return
        yield piece


def _start(pool: Spa, head: LiveDataset, usage: Usage, path: str, given: str) -> tuple[str, bool]:
    """The name of the snapshot to begin at, and whether that is the dataset's origin."""
    if "@" not in given:
        return given, False
    number = head.dir.phys.origin_obj
    if number and pool.dp.dataset(number).name == given:
        return "", True
    where, _, name = given.partition("@")
    if where and where != path:
        raise usage.fail("send", "incremental source must be in same filesystem")
    if "@" in name or "/" in name:
        raise usage.fail("send", "invalid incremental source")
    return name, False


def _package(name: str, streams: Sequence[Iterator[bytes]]) -> Iterator[bytes]:
    """Several streams in one: a first record and its end, the streams, a last record."""
    first = next(streams[0])
    yield replay.pack_package(name, replay.unpack_begin(first)[0].features)
    yield first
    yield from chain.from_iterable(streams)
    yield replay.pack_last()


def spooled(read: Read) -> BinaryIO:
    """The stream that `read` gives, in a file without a name: checked record by record as it comes, down to its sums, and
    none of it kept in memory. Raises :class:`CommandError` for what cannot be received, as soon as it is met."""
    file = TemporaryFile(buffering=0)

    def copied(size: int) -> bytes:
        data = read(size)
        try:
            file.write(data)
        except OSError as error:
            raise CommandError(
                f"{wrong}: the stream does not fit into {gettempdir()}: {error.strerror}; TMPDIR names another folder"
            ) from None
        return data

    incoming, wrong = Incoming(copied), "cannot receive"
    try:
        kind = many = _named(wrong, incoming.begin)[1]
        while kind != replay.END:
            if kind == replay.SUBSTREAM:
                _named(wrong, lambda: sum(1 for _ in incoming.records()))
            kind = replay.END if many == replay.SUBSTREAM else _named(wrong, lambda: incoming.begin(more=True))[1]
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


def receive(system: System, usage: Usage, words: Sequence[str], line: str) -> Output:
    """`zfs receive [-vnFu] filesystem|volume|snapshot`, `zfs receive [-vnFu] [-d | -e] filesystem`."""
    options, rest = usage.options("receive", words, "denuvF")
    flags = {letter for letter, _ in options}
    usage.operands("receive", rest, ("missing snapshot argument",), 1)
    if system.stdin is None:
        raise CommandError(
            "Error: Backup stream can not be read from a terminal.\nYou must redirect standard input."
        )
    target, wrong = rest[0], "cannot receive"
    if flags & {"d", "e"} and not zfs_props.find(system, target):
        raise CommandError(f"{wrong}: specified fs ({target}) does not exist")
    incoming, out, pools = Incoming(system.stdin), "", []
    try:
        begin, kind = _named(wrong, incoming.begin)
        many = kind == replay.COMPOUND
        if many and "@" in target:
            raise CommandError(f"{wrong}: cannot specify snapshot name for multi-snapshot stream")
        while kind != replay.END:
            if kind == replay.SUBSTREAM:
                out += _receive(system, begin, incoming, _name(begin, target, flags, wrong), flags, pools)
            begin, kind = _named(wrong, lambda: incoming.begin(more=True)) if many else (begin, replay.END)
    except CommandError as error:
        raise CommandError(str(error), error.status, out) from None
    finally:
        for pool in dict.fromkeys(pools):
            system.log(pool, line)
    return Output(out)


def _named(wrong: str, take: Callable[[], object]) -> object:
    """What comes next of a stream; where that is wrong, a :class:`CommandError` in the command's words."""
    try:
        return take()
    except ChecksumError:
        raise CommandError(f"{wrong}: invalid stream (checksum mismatch)") from None
    except (CorruptPool, Unsupported) as error:
        raise CommandError(f"{wrong}: {error}") from None


def _name(begin: Begin, target: str, flags: set[str], wrong: str) -> str:
    """The snapshot that is made: the target's name with so much of the sent one as the flags say."""
    sent, _, snapname = begin.toname.partition("@")
    if flags & {"d", "e"} and "@" in target:
        letter = "e" if "e" in flags else "d"
        raise CommandError(f"{wrong}: invalid argument - snapshot not allowed with -{letter}")
    if "e" in flags:
        name = f"{target}/{sent.rpartition('/')[2]}@{snapname}"
    elif "d" in flags:
        below = sent.partition("/")[2]
        name = f"{target}/{below}@{snapname}" if below else f"{target}@{snapname}"
    else:
        name = target if "@" in target else f"{target}@{snapname}"
    trouble = dataset_name(name, True)
    if trouble:
        raise CommandError(f"{wrong} into '{name}': {trouble}")
    return name


def _receive(system: System, begin: Begin, incoming: Incoming, name: str, flags: set[str], pools: list[Spa]) -> str:
    path = name.partition("@")[0]
    fresh = not begin.fromguid or bool(begin.flags & replay.FLAG_CLONE)
    kind = "new filesystem" if fresh else "incremental"
    wrong = f"cannot receive {kind} stream"
    found = zfs_props.find(system, path)
    if found is not None and fresh:
        _overwrite(*found, wrong, "F" in flags)
    elif found is None:
        if not fresh or "/" not in path:
            raise CommandError(f"{wrong}: destination '{path}' does not exist")
        found = parent(system, path, wrong, "d" in flags), None
    pool = found[0]
    what = f"{'incremental' if begin.fromguid else 'full'} stream of {begin.toname} into {name}"
    before = incoming.count - replay.SIZE
    if "n" in flags:
        _named("cannot receive", lambda: sum(1 for _ in incoming.records()))
        return f"would receive {what}\n" if "v" in flags else ""
    _into(pool, begin, incoming, name, path, wrong, "F" in flags)
    pools.append(pool)
    if "v" not in flags:
        return ""
    size = nicenum(incoming.count - before)
    return f"receiving {what}\nreceived {size}B stream in 1 seconds ({size}B/sec)\n"


def _overwrite(pool: Spa, head: LiveDataset, wrong: str, force: bool) -> None:
    """Raises :class:`CommandError` unless a new stream may take the place of a dataset."""
    name = head.name
    if not force:
        raise CommandError(f"{wrong}: destination '{name}' exists\nmust specify -F to overwrite it")
    if head.snapshots():
        first = next(iter(head.snapshots().values())).name
        raise CommandError(f"{wrong}: destination has snapshots (eg. {first})\nmust destroy them to overwrite it")
    number = head.dir.phys.origin_obj
    if number and "$" not in pool.dp.dataset(number).name:
        raise CommandError(f"{wrong}: destination '{name}' is a clone\nmust destroy it to overwrite it")


def _into(pool: Spa, begin: Begin, incoming: Incoming, name: str, path: str, wrong: str, force: bool) -> None:
    try:
        make_ancestors(pool, path)
        receive_next(pool, incoming, begin, name, force)
    except ChecksumError:
        raise CommandError(f"{wrong}: invalid stream (checksum mismatch)") from None
    except CorruptPool as error:
        raise CommandError(f"{wrong}: {error}") from None
    except Busy:
        raise CommandError(f"{wrong}: destination {path} has been modified\nsince most recent snapshot") from None
    except NoSuchName:
        if begin.flags & replay.FLAG_CLONE:
            raise CommandError(f"{wrong}: local origin for clone {name} does not exist") from None
        raise CommandError(f"{wrong}: most recent snapshot of {path} does not\nmatch incremental source") from None
    except Exists:
        raise CommandError(f"cannot restore to {name}: destination already exists") from None
    except NoSpace:
        raise CommandError(f"{wrong}: destination {path} space quota exceeded") from None
    except Unsupported as error:
        raise CommandError(f"{wrong}: pool must be upgraded to receive this stream. ({error})") from None
