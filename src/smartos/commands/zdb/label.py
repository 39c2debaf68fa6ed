"""`zdb -l`: what the four labels of a device say, equal ones once, and with -u the uberblocks of their rings.

No checksum is looked at here: what can be decoded is shown, as the real one does. Left out: the header of a cache
device. Follows `dump_label` of `zdb.c`.
"""

import struct
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from smartos.commands.text import ctime
from smartos.commands.zdb.text import blkptr_text, nvlist_lines
from smartos.output import Output
from smartos.zfs.disk.disk import FileDisk
from smartos.zfs.errors import ZfsError
from smartos.zfs.format import nvlist
from smartos.zfs.format.checksum import ECK_SIZE
from smartos.zfs.format.label import L2CACHE, LABEL_SIZE, LABELS, PHYS_OFFSET, PHYS_SIZE, RING_OFFSET, label_offset
from smartos.zfs.format.nvlist import NVList
from smartos.zfs.format.uberblock import MAGIC, MMP_MAGIC, Uberblock, slot_shift, slots

ROOM = PHYS_SIZE - ECK_SIZE  # what a label has for its list
UBERBLOCK_SIZE = 208  # sizeof (uberblock_t) in OpenZFS 2.1, by which it tells two apart
RULE = "-" * 36
_KINDS = ((nvlist.UINT64, "integers:"), (nvlist.STRING, "strings:"), (nvlist.BOOLEAN, "booleans:"))


def uberblock_lines(uberblock: Uberblock, rootbp: bool) -> Iterator[str]:
    """An uberblock's fields, a line each; `rootbp` adds the pointer to the MOS."""
    yield f"\tmagic = {MAGIC:016x}"
    yield f"\tversion = {uberblock.version}"
    yield f"\ttxg = {uberblock.txg}"
    yield f"\tguid_sum = {uberblock.guid_sum}"
    yield f"\ttimestamp = {uberblock.timestamp} UTC = {ctime(uberblock.timestamp)}"
    yield f"\tmmp_magic = {uberblock.mmp_magic:016x}"
    if uberblock.mmp_magic == MMP_MAGIC:
        config = uberblock.mmp_config
        yield f"\tmmp_delay = {uberblock.mmp_delay}"
        if config & 2:
            yield f"\tmmp_seq = {config >> 32 & 0xFFFF}"
        if config & 4:
            yield f"\tmmp_fail = {config >> 48}"
        if config & 1:
            yield f"\tmmp_write = {config >> 8 & 0xFFFFFF}"
        yield f"\tmmp_valid = {config & 0xFF:x}"
    if rootbp:
        yield f"\trootbp = {blkptr_text(uberblock.rootbp)}"
    yield f"\tcheckpoint_txg = {uberblock.checkpoint_txg}"


class _Label:
    """One label as it was read: its list (None when it cannot be decoded), and its slots by number."""

    def __init__(self, data: bytes, ashift: int) -> None:
        packed = data[PHYS_OFFSET : PHYS_OFFSET + ROOM]
        self.config: NVList | None = None
        self.key = b""
        try:
            self.config = nvlist.unpack(packed)
            self.key = packed[: len(nvlist.pack(self.config))]
        except ZfsError:
            pass
        self.ashift = ashift if self.config is None else _ashift(self.config)
        shift = slot_shift(self.ashift)
        self.slots: dict[int, tuple[bytes, Uberblock]] = {}
        for number in range(slots(self.ashift)):
            part = data[RING_OFFSET + (number << shift) : RING_OFFSET + (number + 1 << shift)]
            if MAGIC in struct.unpack_from("<Q", part) + struct.unpack_from(">Q", part):
                self.slots[number] = (part[:UBERBLOCK_SIZE], Uberblock.unpack(part))


def _ashift(config: Mapping) -> int:
    tree = config.get("vdev_tree")
    found = tree.get("ashift", 9) if isinstance(tree, Mapping) else 9
    return found if isinstance(found, int) else 9


def label_dump(path: str, opt: Counter, place: Path) -> Output:
    """The labels of the device that was asked for as `path`, in the file `place`. The status is 2 when no label could be
    decoded, 1 when only some could."""
    try:
        return labels_of(FileDisk(place, writable=False), opt)
    except FileNotFoundError:
        if path.startswith("/"):
            return Output(f"cannot open '{path}': No such file or directory\n", status=1)
        return Output(f"failed to find device {path}, try specifying absolute path instead\n", status=1)
    except OSError as error:
        return Output(f"cannot open '{path}': {error.strerror or error}\n", status=1)


def labels_of(disk: object, opt: Counter) -> Output:
    """The same for a disk that is at hand: `size` and `read(offset, length)`."""
    labels: list[_Label | None] = []
    lines: list[str] = []
    ashift = 9
    for number in range(LABELS):
        offset = label_offset(disk.size, number)
        if offset < 0 or offset + LABEL_SIZE > disk.size:
            labels.append(None)
            if not opt["q"]:
                lines.append(f"failed to read label {number}")
            continue
        labels.append(_Label(disk.read(offset, LABEL_SIZE), ashift))
        ashift = labels[-1].ashift
    for number, label in enumerate(labels):
        if label is not None:
            lines += _one(number, labels, ashift, opt)
    if any(label and label.config and label.config.get("state") == L2CACHE for label in labels):
        lines.append("zdb: the header of a cache device is not read here")
    found = [label is not None and label.config is not None for label in labels]
    return Output("".join(line + "\n" for line in lines), status=0 if all(found) else 1 if any(found) else 2)


def _one(number: int, labels: list[_Label | None], ashift: int, opt: Counter) -> list[str]:
    label, body = labels[number], []
    out: list[str] = []
    if label.config is not None:
        same = [n for n, each in enumerate(labels) if each and each.config is not None and each.key == label.key]
        if not opt["q"] and (opt["l"] >= 3 or same[0] == number):
            body += nvlist_lines(label.config, 4)
            body.append("    labels = " + "".join(f"{n} " for n in same))
            if opt["l"] >= 2:
                body += _statistics(label.config, opt["l"])
    elif not opt["q"]:
        out.append(f"failed to unpack label {number}")
    if opt["u"]:
        body += _ring(number, labels, ashift, opt["u"])
    heading = [RULE, f"LABEL {number}", RULE] if body and not opt["q"] else []
    return out + heading + body


def _ring(number: int, labels: list[_Label | None], ashift: int, depth: int) -> Iterator[str]:
    label, count = labels[number], slots(ashift)
    for slot in range(count):
        if slot not in label.slots:
            if depth >= 2:
                yield f"    Uberblock[{slot}] invalid"
            continue
        key, uberblock = label.slots[slot]
        same = [
            n for n, each in enumerate(labels) if each and any(other == key for other, _ in each.slots.values())
        ]  # fmt: skip
        if depth < 3 and same[0] != number:
            continue
        if depth < 4 and uberblock.mmp_magic == MMP_MAGIC and uberblock.mmp_delay and slot == count - 1:
            continue
        yield f"    Uberblock[{slot}]"
        yield from uberblock_lines(uberblock, depth >= 4)
        yield "        labels = " + "".join(f"{n} " for n in same)


def _statistics(config: NVList, depth: int) -> Iterator[str]:
    """How much of a label's room the list takes, by the types of its values."""
    empty, total = len(nvlist.pack(NVList())), len(nvlist.pack(config))
    yield from ("", "", "ZFS Label NVList Config Stats:")
    yield f"  {total} bytes used, {ROOM - total} bytes free (using {100 * total / ROOM:4.1f}%)"
    yield ""
    counts: Counter = Counter()
    sizes: Counter = Counter()
    leaves: list[int] = []

    def collect(values: NVList) -> Iterator[str]:
        counts["lists"] += 1
        for name, value in values.items():
            kind = values.kind(name)
            if kind in (nvlist.NVLIST, nvlist.NVLIST_ARRAY):
                for each in [value] if kind == nvlist.NVLIST else value:
                    yield from collect(each)
                    if kind == nvlist.NVLIST_ARRAY and name == "children":
                        leaves.append(len(nvlist.pack(each)))
            elif kind in (pair[0] for pair in _KINDS):
                counts[kind] += 1
                sizes[kind] += len(nvlist.pack(NVList({name: value}, {name: kind}))) - empty
            else:
                yield f"skip type {kind}!"

    yield from collect(config)
    for kind, title in _KINDS:
        yield f"{title:>12} {counts[kind]:4} {sizes[kind]:6} bytes ({100 * sizes[kind] / total:5.2f}%)"
    rest = total - sum(sizes.values())
    yield f"{'nvlists:':>12} {counts['lists']:4} {rest:6} bytes ({100 * rest / total:5.2f}%)"
    yield ""
    if leaves:
        average = sum(leaves) // len(leaves)
        yield f"{'leaf vdevs:':>12} {len(leaves):4} {average:6} bytes average"
        yield f"{max(leaves):24} bytes largest"
        if depth >= 3 and average:
            yield f"  space for {(ROOM - total) // average} additional leaf vdevs"
    yield ""
