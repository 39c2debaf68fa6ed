"""The bytes that are shown are those on the disk, and the tables of fields say of them what the readers read."""

import re
import struct
from datetime import UTC, datetime

import pytest

from smartos.explore.kit.explorer import Explorer
from smartos.explore.zfs import label_bytes
from smartos.zfs.disk.disk import MemoryDisk
from smartos.zfs.format import checksum, fields, nvlist
from smartos.zfs.format.blkptr import DVA, Blkptr
from smartos.zfs.format.fields import Field
from smartos.zfs.format.label import LABEL_SIZE, LABELS, PHYS_OFFSET, PHYS_SIZE, RING_OFFSET, label_offset, read_labels
from smartos.zfs.format.uberblock import Uberblock
from smartos.zfs.read.pool import Pool
from smartos.zfs.spa.spa import Spa

MAKERS = [label_bytes.label, label_bytes.uberblock, label_bytes.pairs, label_bytes.pointer]
DIGITS = re.compile(r'<g fill="ink[^>]*>|<text x="[\d. ]+" y="[\d.]+">([0-9a-f]{8,32})</text>')


def by_name(every: tuple[Field, ...]) -> dict[str, Field]:
    assert len({field.name for field in every}) == len(every), "names are controls' values"
    return {field.name: field for field in every}


def tiled(every: tuple[Field, ...], size: int) -> None:
    """The fields in their order take every bit of `size` bytes once."""
    at = 0
    for field in every:
        assert field.bits.start == at, field.name
        at = field.bits.stop
    assert at == 8 * size


def shown_bytes(figure: str) -> bytes:
    """The bytes that a figure shows, in order."""
    return bytes.fromhex("".join(found for found in DIGITS.findall(figure) if found))


def pool_bytes() -> tuple[MemoryDisk, int, bytes]:
    """The sample's disk, where its newest uberblock's slot begins, and the slot, found without the explorers."""
    disk = label_bytes.sample()
    txg = Pool.open([disk]).uberblock.txg
    at = RING_OFFSET + (txg % 128) * 1024
    return disk, at, disk.read(at, 1024)


# The tables against the readers


@pytest.mark.parametrize("slot", [1024, 4096, 8192])
def test_the_fields_tile_their_structures(slot: int) -> None:
    tiled(fields.uberblock(slot), slot)
    tiled(fields.BLKPTR, 128)
    tiled(fields.LABEL, LABEL_SIZE)


def check_uberblock(data: bytes, order: str) -> None:
    found, own = Uberblock.unpack(data), by_name(fields.uberblock(len(data)))
    value = {name: field.decode(data, order) for name, field in own.items()}
    for name in ("version", "txg", "guid_sum", "timestamp", "software_version"):
        assert value[f"ub_{name}"] == getattr(found, name)
    assert value["ub_magic"] == 0x00BAB10C
    assert Blkptr.unpack(value["ub_rootbp"], order) == found.rootbp
    later = struct.unpack(order + "5Q", value["later fields"])
    assert later == (found.mmp_magic, found.mmp_delay, found.mmp_config, found.checkpoint_txg, found.raidz_reflow_info)


def test_an_uberblock_decodes_as_the_reader_unpacks_it() -> None:
    _, at, data = pool_bytes()
    check_uberblock(data, "<")
    own = by_name(fields.uberblock())
    assert own["zec_magic"].decode(data) == checksum.ECK_MAGIC
    blank = data[:-32] + struct.pack("<4Q", at, 0, 0, 0)
    assert own["zec_cksum"].decode(data) == checksum.sha256(blank), "the sum of the slot with its place in it"
    assert not any(own["unused"].decode(data))


@pytest.mark.parametrize("order", ["<", ">"])
def test_so_does_one_whose_every_field_is_used(order: str) -> None:
    words = struct.unpack("<27Q", bytes(range(1, 217)))
    check_uberblock(struct.pack(f"{order}27Q", 0x00BAB10C, *words[1:]).ljust(1024, b"\0"), order)


def check_pointer(data: bytes, order: str = "<") -> None:
    found, own = Blkptr.unpack(data, order), by_name(fields.BLKPTR)
    value = {name: field.decode(data, order) for name, field in own.items()}
    parts = [[value[f"DVA[{n}] {what}"] for what in ("vdev", "offset", "asize", "G", "GRID")] for n in range(3)]
    dvas = tuple(DVA(vdev, offset, asize, bool(gang), grid) for vdev, offset, asize, gang, grid in parts)
    assert dvas[: len(found.dvas)] == found.dvas and not any(dva.asize for dva in dvas[len(found.dvas) :])
    assert (value["lsize"], value["psize"], value["comp"], value["cksum"], value["type"], value["lvl"]) == (
        found.lsize, found.psize, found.compress, found.checksum, found.type, found.level,
    )  # fmt: skip
    assert (value["B"], value["D"], value["X"], value["E"]) == (found.little, found.dedup, found.crypt, found.embedded)
    births = (value["blk_phys_birth"], value["blk_birth"])
    assert (*births, value["blk_fill"]) == (found.physical_birth, found.birth, found.fill)
    assert (value["blk_cksum"], value["blk_pad"]) == (found.cksum, found.pad)


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_block_pointer_decodes_as_the_reader_unpacks_it(order: str) -> None:
    _, _, data = pool_bytes()
    check_pointer(data[40:168])
    words = list(struct.unpack("<16Q", bytes(range(7, 135))))
    words[6] &= ~(1 << 39)  # not embedded: then its words are what the table says
    check_pointer(struct.pack(f"{order}16Q", *words), order)


def test_a_packed_field_s_bytes_are_those_in_which_its_bits_are() -> None:
    """Changing any other byte leaves the field's value, in either byte order; changing one of its own may not."""
    data = bytes(range(7, 135))
    for order in "<>":
        for field in fields.BLKPTR:
            own = field.bytes(order)
            for at in range(128):
                changed = bytearray(data)
                changed[at] ^= 0xFF
                differs = field.decode(bytes(changed), order) != field.decode(data, order)
                assert differs == (at in own), (field.name, order, at)


def test_an_nvlist_decodes_as_the_reader_unpacks_it() -> None:
    disk = label_bytes.sample()
    data = disk.read(PHYS_OFFSET, PHYS_SIZE)
    every, whole = fields.nvlist(data, 6), nvlist.unpack(data)
    tiled(every, every[-1].start + every[-1].size)
    own = by_name(every)
    assert [own[name].decode(data, ">") for name in ("nvh_encoding", "nvh_endian", "nvl_version")] == [nvlist.XDR, 1, 0]
    assert own["nvl_nvflag"].decode(data, ">") == whole.flags
    for name, value in list(whole.items())[:6]:
        assert own[f"{name}: name"].decode(data, ">") == name
        assert own[f"{name}: value"].decode(data, ">") == value
        assert own[f"{name}: type"].decode(data, ">") == whole.kind(name)
        assert own[f"{name}: elements"].decode(data, ">") == 1
    alone = nvlist.pack(nvlist.NVList(list(whole.items())[:6]))
    assert data[: every[-1].start + every[-1].size] == alone[:-8], "packing those pairs gives these bytes, and an end"


# What is shown


def test_the_bytes_shown_are_those_on_the_disk() -> None:
    disk, at, slot = pool_bytes()
    frame = label_bytes.uberblock().frames(field="ub_txg")[0]
    assert shown_bytes(frame.figure) == slot[:64] + slot[160:192] + slot[208:224] + slot[-48:]
    frame = label_bytes.pointer().frames(field="psize")[0]
    assert shown_bytes(frame.figure) == disk.read(at + 40, 128)
    shown = shown_bytes(label_bytes.pairs().frames(field="nvh_encoding")[0].figure)
    assert len(shown) >= 128 and shown == disk.read(PHYS_OFFSET, len(shown))


def test_the_values_shown_are_the_reader_s() -> None:
    uberblock = Pool.open([label_bytes.sample()]).uberblock
    rows = {row[0]: row[2] for row in label_bytes.uberblock().frames(field="ub_txg")[0].table.rows}
    assert rows["ub_txg"] == str(uberblock.txg) and rows["ub_guid_sum"] == hex(uberblock.guid_sum)
    when = datetime.fromtimestamp(uberblock.timestamp, UTC)
    assert rows["ub_timestamp"] == f"{uberblock.timestamp} = {when:%d %b %Y, %H:%M:%S} UTC"
    assert when == datetime(2011, 8, 15, 12, tzinfo=UTC)
    bp = {row[0]: row[2] for row in label_bytes.pointer().frames(field="psize")[0].table.rows}
    said = uberblock.rootbp.describe()
    for n in range(3):
        offset, asize = (int(bp[f"DVA[{n}] {what}"].split(" ")[0], 16) for what in ("offset", "asize"))
        assert f"DVA[{n}]=<{bp[f'DVA[{n}] vdev']}:{offset:x}:{asize:x}>" in said
    words = [bp[name].split(" = ")[1] for name in ("cksum", "comp")]
    assert " ".join(words) in said and f"[L{bp['lvl']} {bp['type'].split(' = ')[1]}]" in said
    assert f"cksum={bp['blk_cksum']}" in said


@pytest.mark.parametrize("label", range(LABELS))
def test_the_parts_of_each_label_are_where_the_reader_finds_them(label: int) -> None:
    disk, explorer = label_bytes.sample(), label_bytes.label()
    base = label_offset(disk.size, label)
    for field in fields.LABEL:
        frame = explorer.frames(label=label, part=field.name)[0]
        assert f"from byte {base + field.start:#x} on" in frame.says
        whole, shown = disk.read(base + field.start, field.size), shown_bytes(frame.figure)
        assert shown in whole and (any(shown) or ("all zeros" in frame.says and not any(whole)))
    assert nvlist.unpack(disk.read(base + PHYS_OFFSET, PHYS_SIZE)) == read_labels(disk)[label].config
    assert base + RING_OFFSET == int(frame.table.rows[4 * label + 3][2], 16)


def test_a_disk_of_the_reader_s_own_is_shown_instead() -> None:
    disk = MemoryDisk(64 << 20, "mine")
    pool = Spa.create("mine", [disk], seed=5, ashift=12)
    pool.open("mine").write("/x", b"x")
    pool.sync()
    frame = label_bytes.uberblock(disk).frames(field="ub_txg")[0]
    assert f"ub_txg: {pool.uberblock.txg}." in frame.says
    assert "“mine”" in label_bytes.pairs(disk).frames(field="name: value")[0].says
    with pytest.raises(ValueError, match="no uberblock"):
        label_bytes.uberblock(MemoryDisk(64 << 20))


@pytest.mark.parametrize("made", MAKERS)
def test_every_state_marks_its_field_and_says_it(made) -> None:
    explorer: Explorer = made()
    control = explorer.controls.get("field") or explorer.controls["part"]
    figures = set()
    for state in explorer.states():
        (frame,) = explorer.frames(**state)
        figures.add(frame.figure)
        name = state.get("field") or state["part"]
        assert frame.says.startswith(name) and len(frame.says.split()) <= 30 and frame.says.endswith(".")
        assert int(re.search(r'viewBox="0 0 (\d+)', frame.figure)[1]) <= 440
        assert name in [row[0] for row in frame.table.rows] + [row[1] for row in frame.table.rows]
        assert all(row[-1].split(",")[0].removesuffix(" of OpenZFS").endswith((".h", ".c")) for row in frame.table.rows)
    assert len(figures) == len(list(explorer.states()))
    for key, value in re.findall(r'data-set="([^"=]+)=([^"]+)"', "".join(figures)):
        assert value in map(str, explorer.controls[key].values), "what can be picked is a value of a control"
    picked = set(re.findall(r'data-set="[^"=]+=([^"]+)"', "".join(figures)))
    assert set(map(str, control.values)) <= picked, "every field can be picked in some figure"
    assert len(explorer.html()) < 80_000


def test_what_the_writer_says_of_its_software_is_what_it_knows() -> None:
    disk = MemoryDisk(64 << 20)
    Spa.create("old", [disk], version=15)
    uberblock = Pool.open([disk]).uberblock
    assert (uberblock.version, uberblock.software_version) == (15, 28)
