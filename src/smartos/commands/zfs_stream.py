"""`zfs send` and `zfs receive`: snapshots as streams, from one dataset to another.

Left out: streams with properties and of whole trees (`send -R`, `-p`) and deduplicated ones (`-D`). Several snapshots
in a stream (`send -I`) are there: a first record that says so, the streams one after the other, a last record. Follows
`zfs_main.c` and `libzfs_sendrecv.c` of illumos as of 12 August 2011.
"""

import struct
from collections.abc import Sequence

from smartos.commands import zfs_props
from smartos.commands.output import CommandError, Output
from smartos.commands.system import System
from smartos.commands.text import Usage, nicenum
from smartos.commands.zfs_make import make_ancestors, parent
from smartos.commands.zfs_table import FILESYSTEM, VOLUME
from smartos.zfs import checksum, replay
from smartos.zfs.dsl_dataset import LiveDataset
from smartos.zfs.errors import Busy, ChecksumError, CorruptPool, Exists, NoSpace, NoSuchName, Unsupported
from smartos.zfs.namecheck import dataset_name
from smartos.zfs.replay import Begin
from smartos.zfs.spa import Spa

COMPOUND = 2


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
        return Output(data=pool.send(f"{path}@{snapname}", start, from_origin=origin))
    names = list(snaps)
    chosen = names[names.index(start) + 1 if start else 0 : names.index(snapname) + 1]
    streams = [
        pool.send(f"{path}@{name}", before, from_origin=origin and not before)
        for before, name in zip([start, *chosen], chosen, strict=False)
    ]
    return Output(data=_package(f"{path}@{snapname}", streams))


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


def _package(name: str, streams: Sequence[bytes]) -> bytes:
    """Several streams in one: a first record and its end, the streams, a last record."""
    features = replay.unpack(streams[0])[0].features
    text = name.encode("utf-8", "surrogateescape")[:255]
    head = struct.pack("<II3Q2I2Q256s", replay.BEGIN, 0, replay.MAGIC, COMPOUND | features << 2, 0, 0, 0, 0, 0, text)
    end = struct.pack("<II5Q", replay.END, 0, *checksum.fletcher_4(head), 0).ljust(replay.SIZE, b"\0")
    last = struct.pack("<II", replay.END, 0).ljust(replay.SIZE, b"\0")
    return head + end + b"".join(streams) + last


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
    stream = system.stdin()
    if not stream:
        raise CommandError(f"{wrong}: failed to read from stream")
    streams = _streams(stream, wrong)
    if len(streams) > 1 and "@" in target:
        raise CommandError(f"{wrong}: cannot specify snapshot name for multi-snapshot stream")
    out, pools = "", []
    for begin, part in streams:
        name = _name(begin, target, flags, wrong)
        out += _receive(system, begin, part, name, flags, pools)
    for pool in dict.fromkeys(pools):
        system.log(pool, line)
    return Output(out)


def _streams(stream: bytes, wrong: str) -> list[tuple[Begin, bytes]]:
    """The streams in a stream, each whole and verified. Raises :class:`CommandError`."""
    try:
        if len(stream) < replay.SIZE:
            raise CommandError(f"{wrong}: failed to read from stream")
        kind, _, magic, info = struct.unpack_from("<II2Q", stream)
        swapped = int.from_bytes(replay.MAGIC.to_bytes(8, "little"), "big")
        if kind != replay.BEGIN or magic not in (replay.MAGIC, swapped):
            raise CommandError(f"{wrong}: invalid stream (bad magic number)")
        if magic == swapped or info & 3 != COMPOUND:
            return [(replay.unpack(stream)[0], stream)]
        if struct.unpack_from("<I", stream, 4)[0]:
            raise CommandError(f"{wrong}: a stream of a whole tree (zfs send -R, -p) is not received here")
        found, at = [], 2 * replay.SIZE
        while at + replay.SIZE <= len(stream) and struct.unpack_from("<I", stream, at)[0] != replay.END:
            part = stream[at:]
            length = next(r.offset for r in replay._records(part) if r.kind == replay.END) + replay.SIZE
            found.append((replay.unpack(part[:length])[0], part[:length]))
            at += length
        return found
    except ChecksumError:
        raise CommandError(f"{wrong}: invalid stream (checksum mismatch)") from None
    except (CorruptPool, Unsupported, StopIteration) as error:
        raise CommandError(f"{wrong}: {error or 'invalid stream: it ends before its last record'}") from None


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


def _receive(system: System, begin: Begin, stream: bytes, name: str, flags: set[str], pools: list[Spa]) -> str:
    path = name.partition("@")[0]
    fresh = not begin.fromguid or bool(begin.flags & replay.FLAG_CLONE)
    kind = "new filesystem" if fresh else "incremental"
    wrong = f"cannot receive {kind} stream"
    found = zfs_props.find(system, path)
    kept: dict[str, int | str] = {}
    if found is not None and fresh:
        kept = _overwrite(*found, wrong, "F" in flags)
    elif found is None:
        if not fresh or "/" not in path:
            raise CommandError(f"{wrong}: destination '{path}' does not exist")
        found = parent(system, path, wrong, "d" in flags), None
    pool = found[0]
    what = f"{'incremental' if begin.fromguid else 'full'} stream of {begin.toname} into {name}"
    if "n" in flags:
        return f"would receive {what}\n" if "v" in flags else ""
    _into(pool, begin, stream, name, path, wrong, "F" in flags, found[1] is not None and fresh, kept)
    pools.append(pool)
    if "v" not in flags:
        return ""
    size = nicenum(len(stream))
    return f"receiving {what}\nreceived {size}B stream in 1 seconds ({size}B/sec)\n"


def _overwrite(pool: Spa, head: LiveDataset, wrong: str, force: bool) -> dict[str, int | str]:
    """Whether a new stream may take the place of a dataset; gives the properties that it had."""
    name = head.name
    if not force:
        raise CommandError(f"{wrong}: destination '{name}' exists\nmust specify -F to overwrite it")
    if head.snapshots():
        first = next(iter(head.snapshots().values())).name
        raise CommandError(f"{wrong}: destination has snapshots (eg. {first})\nmust destroy them to overwrite it")
    number = head.dir.phys.origin_obj
    if number and "$" not in pool.dp.dataset(number).name:
        raise CommandError(f"{wrong}: destination '{name}' is a clone\nmust destroy it to overwrite it")
    if head.dir.children() or head.dir.parent is None:
        raise CommandError(f"{wrong}: destination '{name}' has datasets below it, or is a pool; receive beside it")
    return {key: entry.value for key, entry in pool.dp.mos.zap(head.dir.phys.props_zapobj).entries.items()}


def _into(
    pool: Spa, begin: Begin, stream: bytes, name: str, path: str, wrong: str, force: bool, over: bool, kept: dict
) -> None:
    try:
        make_ancestors(pool, path)
        if over:
            if begin.features & replay.SA_SPILL and pool.version < 24:
                raise Unsupported("the stream is of a newer filesystem version")
            pool.destroy(path)
        pool.receive(stream, name, force)
        if kept:
            pool.task(f"set {path}", lambda: pool._set(pool.dp.find(path), kept))
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
