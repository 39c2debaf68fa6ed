"""The intent log in motion: what fsync promised is there after a power cut, by the log alone, and nothing else is.

A power cut is a copy of the disks: what nobody had synced is then only in the log, or nowhere.
"""

import random
from collections.abc import Iterable

import pytest

from smartos import probes
from smartos.zfs.campaign.log import telling
from smartos.zfs.disk.disk import MemoryDisk, Recorder, Write
from smartos.zfs.disk.faults import FaultyDisk, Gone
from smartos.zfs.errors import NoSpace, Unsupported
from smartos.zfs.live import zfs_log
from smartos.zfs.live.txg import PoolSuspended
from smartos.zfs.live.zil_commit import Itx
from smartos.zfs.live.zpl import Zpl
from smartos.zfs.read import zil
from smartos.zfs.read.pool import Pool
from smartos.zfs.read.walk import walk
from smartos.zfs.spa.spa import Spa, verify

SIZE = 64 << 20
SHAPES = {"disk": ("", 1), "stripe": ("", 2), "mirror": ("mirror", 2), "raidz1": ("raidz1", 3), "raidz2": ("raidz2", 4)}
VERSIONS = (15, 20, 21, 23, 24, 28)


def made(kind: str = "", count: int = 1, version: int = 28, **properties: str) -> tuple[Spa, list[MemoryDisk], Zpl]:
    """A pool, its disks, and a filesystem whose log is in use: the first fsync has made it."""
    disks = [MemoryDisk(SIZE, f"c0t{n}d0") for n in range(count)]
    pool = Spa.create("tank", [(kind, *disks)] if kind else disks, version=version)
    home = pool.create("tank/home", **properties)
    home.write("/first", b"1")
    home.fsync("/first")
    return pool, disks, home


def power_cut(disks: Iterable[MemoryDisk]) -> Spa:
    """The pool as it is imported from what is on the disks."""
    return Spa.import_([disk.copy() for disk in disks])


def tree(fs: Zpl) -> dict[str, object]:
    """All that a log must bring back, by path; times are the replay's own."""
    found = {}
    for path, node in fs.walk():
        data = None if node.is_dir else fs.readlink(path) if node.symlink is not None else fs.read(path)
        found[path] = (data, node.mode, node.uid, node.gid, node.links, node.size, node.gen)
    return found


def sound(pool: Spa) -> None:
    report = verify(pool)
    assert report.sound, report.describe()


# ---- the promise


@pytest.mark.parametrize("shape", SHAPES)
def test_what_was_fsynced_is_there_after_a_power_cut_and_the_rest_is_not(shape: str) -> None:
    pool, disks, home = made(*SHAPES[shape])
    synced = pool.txg.synced
    home.write("/asked", random.Random(1).randbytes(300_000))
    home.write("/other", b"not asked for")
    home.fsync("/asked")
    home.write("/after", b"not asked for either")
    assert pool.txg.synced == synced, "no transaction group was needed"
    after = power_cut(disks)
    found = after.open("tank/home")
    assert found.read("/asked") == home.read("/asked")
    assert found.listdir() == ["asked", "first", "other"], "names are safe up to the fsync"
    assert found.read("/other") == b"", "data of another file are not"
    assert [(each.name, each.trouble) for each in after.replayed] == [("tank/home", "")]
    sound(after)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_kind_of_record_does_again_what_was_done(version: int) -> None:
    pool, disks, home = made(version=version)
    home.mkdir("/d", 0o700, 5, 6)
    home.mkdir("/d/e")
    home.write("/d/f", b"f" * 140_000)
    home.symlink("/link", "d/f")
    home.link("/d/f", "/g")
    home.chmod("/g", 0o4711)
    home.chown("/d", 7, 8)
    home.rename("/d/f", "/d/e/h")
    home.write("/taken", b"goes")
    home.write("/mover", b"stays")
    home.rename("/mover", "/taken")
    home.truncate("/g", 100_001)
    home.truncate("/taken", 70_000)
    home.unlink("/first")
    home.mkdir("/short")
    home.rmdir("/short")
    home.write("/g", b"in the middle", 40_000)
    home.objset.zil.commit()
    kinds = {record.type for block in Pool.open(disks).dataset("tank/home").intent_log() for record in block.entries}
    assert kinds == {*range(1, 3), *range(4, 12)}, "all but TX_MKXATTR, up to TX_SETATTR"
    after = power_cut(disks)
    assert tree(after.open("tank/home")) == tree(home)
    pool.sync()
    assert tree(power_cut(disks).open("tank/home")) == tree(home), "as by the transaction group"
    sound(after)


def test_a_volume_s_writes() -> None:
    pool, disks, _ = made()
    volume = pool.create_volume("tank/vol", "8M")
    volume.write(0, b"begin", sync=True)
    volume.write(8000, b"flushed" * 5000)
    volume.flush()
    volume.write(1 << 20, b"sync", sync=True)
    volume.write(2 << 20, b"cached only")
    found = power_cut(disks).open("tank/vol")
    assert found.read(0, 60_000) == volume.read(0, 60_000) and found.read(1 << 20, 4) == b"sync"
    assert found.read(2 << 20, 6) == bytes(6)


def test_sync_always_and_disabled() -> None:
    pool, disks, _ = made()
    always, never = pool.create("tank/always", sync="always"), pool.create("tank/never", sync="disabled")
    for fs in (always, never):
        fs.write("/a", b"1")
        fs.mkdir("/d")
        fs.rename("/a", "/d/a")
        fs.write("/d/a", b"22", 1)
        fs.chmod("/d/a", 0o600)
        fs.truncate("/d/a", 2)
        fs.fsync("/d/a")
        fs.write("/d/s", b"3", sync=True)
        fs.unlink("/d/s")
    after = power_cut(disks)
    assert tree(after.open("tank/always")) == tree(always)
    assert after.open("tank/never").listdir() == [] and never.objset.zil.itxs == []
    pool.set("tank/never", sync="standard")
    never.write("/now", b"4", sync=True)
    pool.set("tank", sync="disabled")
    assert pool.get("tank/home", "sync") == ("disabled", "inherited from tank")
    assert power_cut(disks).open("tank/never").read("/now") == b"4"


def test_a_file_that_was_renamed_is_logged_with_what_was_written_before() -> None:
    pool, disks, home = made()
    home.write("/new", b"whole")
    home.rename("/new", "/config")
    home.fsync("/first")
    assert power_cut(disks).open("tank/home").read("/config") == b"whole"


def test_a_write_that_was_cut_off_or_whose_file_is_gone_is_not_logged() -> None:
    pool, disks, home = made()
    for name in ("/cut", "/gone"):
        home.write(name, b"x" * 1000, 50_000)
    home.truncate("/cut", 10)
    home.unlink("/gone")
    home.objset.zil.commit()
    kinds = [record.type for block in Pool.open(disks).dataset("tank/home").intent_log() for record in block.entries]
    assert zil.TX_WRITE not in kinds
    assert tree(power_cut(disks).open("tank/home")) == tree(home)


# ---- what it costs, and when


def test_without_fsync_a_log_writes_nothing_and_keeps_nothing() -> None:
    disk = Recorder(MemoryDisk(SIZE, "d"))
    pool = Spa.create("tank", [disk])
    home = pool.create("tank/home")
    heard = []
    with probes.subscribe(lambda probe, args, context: heard.append(probe.function), "fbt:zfs:zil_lwb_write_start:"):
        home.write("/a", b"1")
        pool.sync()
        home.write("/a", b"2")
        assert len(home.objset.zil.itxs) == 1
        pool.sync()
    assert not heard and home.objset.zil.itxs == [] and pool.dp.logs == {}
    assert Pool.open([disk]).dataset("tank/home").objset.phys.zil_header.log.hole


def test_log_blocks_go_when_their_transaction_group_is_on_disk() -> None:
    pool, disks, home = made()
    pool.sync()
    before = pool.metaslabs.allocated - pool.metaslabs.deferred
    for number in range(40):
        home.write("/first", bytes([number]) * 3000, 0, sync=True)
    assert len(home.objset.zil.lwbs) > 10 and pool.metaslabs.allocated - pool.metaslabs.deferred > before + 40 * 3000
    pool.sync()
    waiting = Pool.open(disks).dataset("tank/home").intent_log()
    assert [(block.readable, block.records) for block in waiting] == [(False, 0)], "the block that comes next"
    assert pool.metaslabs.allocated - pool.metaslabs.deferred < before + 40_000
    assert power_cut(disks).replayed == []
    sound(pool)


def test_small_commits_share_no_more_than_a_flush_and_a_block_each() -> None:
    disk = Recorder(MemoryDisk(SIZE, "d"))
    pool = Spa.create("tank", [disk])
    home = pool.create("tank/home")
    home.write("/a", b"1", sync=True)
    start = len(disk.log)
    home.write("/a", b"2", sync=True)
    first, second = disk.log[start:]
    assert isinstance(first, Write) and len(first.data) == 4096 and not isinstance(second, Write)


@pytest.mark.parametrize("version", [20, 28])
def test_a_large_write_is_written_once_and_the_log_points_to_it(version: int) -> None:
    """WR_INDIRECT: unless the block changes again, the transaction group takes it as it is."""
    chance = random.Random(5)
    pool, disks, home = made(version=version)
    home.write("/large", chance.randbytes(300_000))
    home.write("/again", chance.randbytes(100_000))
    home.write("/gone", chance.randbytes(100_000))
    home.objset.zil.commit()
    home.write("/again", chance.randbytes(40_000), 3000, sync=True)
    home.unlink("/gone")
    home.fsync("/large")
    log = Pool.open(disks).dataset("tank/home").intent_log()
    pointers = [each.pointer for block in log for each in block.entries if each.type == zil.TX_WRITE]
    assert len(pointers) == 6 and all(pointer is not None for pointer in pointers)
    after = power_cut(disks)
    assert tree(after.open("tank/home")) == tree(home)
    sound(after)
    heard = []
    with probes.subscribe(lambda probe, args, context: heard.append(args[3]), "fbt:zfs:zio_write:entry"):
        pool.sync()
    assert max(heard) < 100_000, "no data block is written a second time"
    assert tree(power_cut(disks).open("tank/home")) == tree(home)
    sound(pool)


def test_a_large_write_of_zeros_has_no_block_to_point_to() -> None:
    pool, disks, home = made(compression="on")
    synced = pool.txg.synced
    home.write("/zeros", bytes(100_000), sync=True)
    assert pool.txg.synced == synced and power_cut(disks).open("tank/home").read("/zeros") == bytes(100_000)
    home.write("/more", bytes(128 << 10), sync=True)  # what no log block takes
    assert pool.txg.synced == synced + 1 and power_cut(disks).open("tank/home").read("/more") == bytes(128 << 10)


def test_a_log_without_room_waits_for_the_transaction_group() -> None:
    pool, disks, home = made()
    real, synced = pool.metaslabs.alloc, pool.txg.synced
    home.write("/first", b"none left")
    pool.metaslabs.alloc = _full_once(real)
    home.fsync("/first")
    assert pool.txg.synced == synced + 1
    pool.metaslabs.alloc = real
    assert power_cut(disks).open("tank/home").read("/first") == b"none left"
    home.write("/first", b"room again", sync=True)
    assert pool.txg.synced == synced + 1
    assert power_cut(disks).open("tank/home").read("/first") == b"room again"


def _full_once(real):  # noqa: ANN001, ANN202 - an allocator that finds nothing the first time
    tries = []

    def alloc(*words, **rest):  # noqa: ANN002, ANN003, ANN202
        tries.append(words)
        if len(tries) == 1:
            raise NoSpace("no space")
        return real(*words, **rest)

    return alloc


# ---- devices


def test_a_mirror_whose_one_half_does_not_take_the_log() -> None:
    own = [FaultyDisk(MemoryDisk(SIZE, f"c0t{n}d0")) for n in range(2)]
    pool = Spa.create("tank", [("mirror", *own)])
    home = pool.create("tank/home")
    home.write("/a", b"1", sync=True)
    own[1].add(Gone())
    home.write("/a", b"2", sync=True)
    after = power_cut([disk.disk for disk in own])
    assert after.open("tank/home").read("/a") == b"2"
    sound(after)


def test_fsync_fails_when_nothing_can_be_written() -> None:
    own = FaultyDisk(MemoryDisk(SIZE, "d"))
    pool = Spa.create("tank", [own])
    home = pool.create("tank/home")
    home.write("/a", b"1", sync=True)
    home.write("/a", b"2")
    own.add(Gone())
    with pytest.raises(PoolSuspended):
        home.fsync("/a")
    with pytest.raises(PoolSuspended):
        home.fsync("/a")


# ---- with the rest of the pool


def test_snapshots_have_no_log_and_the_dataset_begins_another() -> None:
    pool, disks, home = made()
    home.write("/first", b"2", sync=True)
    pool.snapshot("tank/home@s")
    read = Pool.open(disks)
    assert all(read.dataset(name).objset.phys.zil_header.log.hole for name in ("tank/home", "tank/home@s"))
    for _ in range(3):
        home.write("/first", b"3", sync=True)
    assert power_cut(disks).open("tank/home").read("/first") == b"3"
    sound(pool)


@pytest.mark.parametrize("version", [15, 23, 28])
def test_a_dataset_with_a_log_is_rolled_back_renamed_cloned_received_into_and_destroyed(version: int) -> None:
    pool, disks, home = made(version=version)

    def promise(fs: Zpl) -> None:
        for number in range(3):
            fs.write("/first", b"%d" % number * 5000, 0, sync=True)

    pool.snapshot("tank/home@1")
    promise(home)
    pool.rollback("tank/home@1")
    assert home.read("/first") == b"1"
    sound(pool)
    promise(home)
    pool.rename("tank/home", "tank/house")
    home = pool.open("tank/house")
    promise(home)
    clone = pool.clone("tank/house@1", "tank/clone")
    promise(clone)
    sound(pool)
    pool.promote("tank/clone")
    promise(clone)
    promise(home)
    assert power_cut(disks).open("tank/clone").read("/first") == b"2" * 5000
    pool.snapshot("tank/clone@2")
    pool.receive(pool.send("tank/clone@1"), "tank/copy")
    copy = pool.open("tank/copy")
    promise(copy)
    pool.receive(pool.send("tank/clone@2", "1"), "tank/copy", force=True)
    assert copy.read("/first") == b"2" * 5000
    promise(copy)
    sound(pool)
    for name in ("tank/copy@2", "tank/copy@1", "tank/copy", "tank/house"):
        pool.destroy(name)
    sound(pool)
    assert power_cut(disks).open("tank/clone").read("/first") == b"2" * 5000


def test_a_filesystem_that_is_readonly_is_replayed_all_the_same() -> None:
    pool, disks, home = made()
    pool.set("tank/home", readonly="on")
    pool.set("tank/home", readonly="off")
    home.write("/first", b"promised", sync=True)
    twins = [disk.copy() for disk in disks]
    pool.set("tank", readonly="on")
    assert Spa.import_(twins).open("tank/home").read("/first") == b"promised"


def test_a_reader_shows_the_pool_as_it_was_and_says_what_waits() -> None:
    pool, disks, home = made()
    home.write("/first", b"2", sync=True)
    before = [disk.copy() for disk in disks]
    found = Pool.open(before)
    dataset = found.dataset("tank/home")
    assert dataset.unreplayed() == 1
    assert dataset.filesystem().read(dataset.filesystem().lookup("/first")) == b"1"
    assert "tank/home: an intent log with 1 records was not replayed" in walk(found).notes
    assert all(one._pages == other._pages for one, other in zip(before, disks, strict=True))


# ---- replay


def test_the_power_may_fail_again_at_any_write_of_the_replay() -> None:
    pool, disks, home = made()
    home.mkdir("/d")
    home.write("/d/a", b"a" * 70_000)
    home.rename("/first", "/d/first")
    home.link("/d/a", "/b")
    home.unlink("/d/a")
    home.objset.zil.commit()
    log: list = []
    Spa.import_([Recorder(disk.copy(), log) for disk in disks])
    assert sum(isinstance(entry, Write) for entry in log) > 40
    now = disks[0].copy()
    for number, entry in enumerate(log):
        if isinstance(entry, Write):
            now.write(entry.offset, entry.data)
            if number % 24 and not telling(entry):
                continue
            after = power_cut([now])
            assert tree(after.open("tank/home")) == tree(home), f"after {number}"
            assert all(not each.trouble for each in after.replayed)
    sound(after)


def test_a_second_import_begins_a_chain_that_the_first_one_s_blocks_do_not_fit() -> None:
    """Both draw the same numbers, and their blocks lie in the same places."""
    pool, disks, home = made()
    for number in range(6):
        home.write("/first", b"old %d" % number, 0, sync=True)
    twins = [disk.copy() for disk in disks]
    chains = set()
    for turn in range(4):
        again = Spa.import_(twins)
        fs = again.open("tank/home")
        for number in range(3 - turn % 2):
            fs.write("/first", b"turn %d, write %d" % (turn, number), 0, sync=True)
        chains.add(fs.objset.zil.header.log.cksum[:2])
        state = tree(fs)
        assert tree(power_cut(twins).open("tank/home")) == state
        assert all(not each.trouble for each in again.replayed)
    assert len(chains) == 4


def test_records_that_are_not_replayed_here_are_refused_before_anything_is_changed() -> None:
    pool, disks, home = made()
    home.objset.zil.assign(Itx(zil.TX_ACL, pool.txg.open, 8, bytes(40)))
    home.objset.zil.commit()
    before = [disk.copy() for disk in disks]
    with pytest.raises(Unsupported, match=r"tank/home has an intent log of 1 records, one of which \(TX_ACL\)"):
        Spa.import_(disks)
    assert all(one._pages == other._pages for one, other in zip(before, disks, strict=True))


def test_a_record_that_cannot_be_done_again_ends_the_replay_and_is_told_of() -> None:
    pool, disks, home = made()
    zfs_log.log_remove(home.objset.zil, pool.txg.open, home.root, 99, "never there", False)
    home.write("/after", b"1")
    home.objset.zil.commit()
    after = power_cut(disks)
    assert [(each.records, each.trouble) for each in after.replayed] == [
        (0, "record 1: never there: no such file or directory")
    ]
    assert not after.open("tank/home").exists("/after")
    sound(after)


def test_the_chain_s_head_is_as_long_as_the_real_one() -> None:
    """zc_pad, zc_next_blk, zc_nused, and zc_eck with its magic and four words: zdb reads the first record behind it."""
    assert zil.CHAIN_SIZE == 8 + 128 + 8 + 40
    pool, disks, home = made()
    home.write("/first", b"2", sync=True)
    block = Pool.open(disks).dataset("tank/home").intent_log()[0]
    raw = disks[0].read((4 << 20) + block.pointer.dvas[0].offset, 4096)
    assert raw[184:192] == zil.TX_WRITE.to_bytes(8, "little")


# ---- probes


def test_the_probes_have_the_names_of_the_real_functions() -> None:
    pool, disks, home = made()
    heard = []
    with probes.subscribe(lambda probe, args, context: heard.append((probe.function, probe.name)), "*:zfs:z*:*"):
        home.write("/first", b"2", sync=True)
        home.fsync("/first")
        power_cut(disks)
    names = [name for name, _ in heard]
    expected = [
        "zfs_write", "zfs_log_write", "zil_itx_assign", "zil_commit", "zil_commit_writer", "zil_lwb_write_start",
        "zfs_fsync", "zil_claim", "zil_replay", "zfs_replay_write", "zil_destroy",
    ]  # fmt: skip
    places = [names.index(name) for name in expected]
    assert places == sorted(places)
    assert ("zil_commit_writer", "zil-cw1") in heard and ("zil_commit", "return") in heard


def test_looking_for_the_end_of_a_log_is_no_error_of_a_device() -> None:
    """The block that comes next was never written: its read is speculative."""
    pool, disks, home = made("mirror", 2)
    home.write("/first", b"2", sync=True)
    for again in (power_cut(disks), power_cut(disks)):
        again.open("tank/home").write("/first", b"3", sync=True)
        assert not any(leaf.stat.vs_checksum_errors for leaf in again.root.leaves())
        assert not any(leaf.stat.vs_checksum_errors for leaf in power_cut(disks).root.leaves())
