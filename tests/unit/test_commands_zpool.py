"""`zpool` over files: what it says, what it refuses and in which words, and that pools live on between commands."""

import random
import re
from pathlib import Path

import pytest

from smartos.commands import System, run
from smartos.zfs.disk.disk import FileDisk
from smartos.zfs.disk.faults import FaultyDisk, UnreadableSector
from smartos.zfs.format.label import DATA_OFFSET, DESTROYED, PHYS_OFFSET, label_offset, pack_config, read_labels
from smartos.zfs.format.nvlist import NVList
from smartos.zfs.live.spa_history import COMMAND, read_history
from smartos.zfs.read.pool import Pool
from smartos.zfs.spa.spa import verify
from tests.unit.command_lines import bad, good, system

__all__ = ["system"]


def test_status_of_a_mirror(system: System) -> None:
    good(system, "zpool create tank mirror d0 d1 spare d2")
    assert good(system, "zpool status") == (
        "  pool: tank\n state: ONLINE\n scan: none requested\nconfig:\n\n"
        "\tNAME        STATE     READ WRITE CKSUM\n"
        "\ttank        ONLINE       0     0     0\n"
        "\t  mirror-0  ONLINE       0     0     0\n"
        "\t    d0      ONLINE       0     0     0\n"
        "\t    d1      ONLINE       0     0     0\n"
        "\tspares\n"
        "\t  d2        AVAIL   \n"
        "\nerrors: No known data errors\n"
    )
    assert good(system, "zpool status -x") == "all pools are healthy\n"
    assert good(system, "zpool status -x tank") == "pool 'tank' is healthy\n"


def test_without_pools_there_is_little_to_say(system: System) -> None:
    for line in ("zpool list", "zpool status", "zpool history"):
        assert good(system, line) == "no pools available\n"
    assert run("zpool import", system).err == "no pools available to import\n"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("zpool create tank nothing", "no such device in"),
        ("zpool create tank small", "cannot create 'tank': one or more devices is less than the minimum size (64M)"),
        ("zpool create tank mirror d0", "invalid vdev specification: mirror requires at least 2 devices"),
        ("zpool create tank raidz3 d0 d1 d2", "invalid vdev specification: raidz3 requires at least 4 devices"),
        ("zpool create tank mirror d0 d0", "one or more vdevs refer to the same device"),
        ("zpool create mirror d0", "cannot create 'mirror': name is reserved\npool name may have been omitted"),
        ("zpool create log d0", "name is reserved"),
        ("zpool create c0t0 d0", "pool name is reserved"),
        ("zpool create tank log d0", "there are no log devices here"),
        ("zpool create tank mirror d0 d1 raidz d2 d3 d4", "both mirror and raidz vdevs are present"),
        ("zpool create -o version=7 tank d0", "pools are made at versions 15 to 28 here"),
        ("zpool create -o bootfs=tank tank d0", "cannot be set at creation or import time"),
        ("zpool create -m here tank d0", "invalid mountpoint 'here'"),
        ("zpool create -O foo=1 tank d0", "cannot create 'tank': invalid property 'foo'"),
        ("zpool iostat", "zpool iostat: not done here"),
        ("zpool split a b", "zpool split: not done here"),
    ],
)
def test_what_cannot_be_is_refused_in_words_that_name_it(line: str, says: str, system: System) -> None:
    assert says in bad(system, line)
    assert not system.pools and not system.cachefile.exists()


def test_disks_in_use_are_refused_until_their_pool_is_gone(system: System) -> None:
    good(system, "zpool create tank d0 spare d1")
    part = f"{system.folder}/d0 is part of active pool 'tank'"
    assert bad(system, "zpool create two d0").endswith(f"use '-f' to override the following errors:\n{part}\n")
    assert "the following errors must be manually repaired" in bad(system, "zpool create -f two d0")
    assert "d1 is reserved as a hot spare for pool tank" in bad(system, "zpool create two d1")
    good(system, "zpool export tank")
    assert "is part of exported pool 'tank'" in bad(system, "zpool create two d0")
    good(system, "zpool create -f two d0")
    good(system, "zpool destroy two")
    good(system, "zpool create three d0")


def test_every_shape_is_made_and_shown(system: System) -> None:
    good(system, "zpool create a raidz d0 d1 d2")
    good(system, "zpool create -f b mirror d3 d4 d5")
    out = good(system, "zpool status")
    assert "raidz1-0" in out and "mirror-0" in out and out.index("pool: a") < out.index("pool: b")
    assert "pool uses raidz and new vdev is file" in bad(system, "zpool add a d6")
    assert good(system, "zpool add -n -f a d6") == (
        "would update 'a' to the following configuration:\n\ta\n\t  raidz1\n\t    d0\n\t    d1\n\t    d2\n\td6\n".replace(
            "\td6", "\t  d6"
        )
    )
    good(system, "zpool add -f a d6")
    assert good(system, "zpool list -H -o name,size") == "a\t238M\nb\t59.5M\n"


def test_attach_replace_detach_and_a_spare_that_stands_in(system: System) -> None:
    good(system, "zpool create tank d0")
    good(system, "zfs create tank/a")
    good(system, "zpool attach tank d0 d1")
    assert "resilvered" in good(system, "zpool status") and "mirror-0" in good(system, "zpool status")
    good(system, "zpool replace tank d0 d2")
    assert "d0 " not in good(system, "zpool status")
    good(system, "zpool add tank spare d3")
    good(system, "rm -f d2")
    out = good(system, "zpool status")
    assert "spare-0" in out and "currently in use" in out and "REMOVED" in out
    good(system, "mkfile -n 64m d2")
    good(system, "zpool replace tank d2")
    out = good(system, "zpool status")
    assert "state: ONLINE" in out and "AVAIL" in out and "spare-0" not in out
    good(system, "zpool detach tank d1")
    assert bad(system, "zpool detach tank d2", 255) == (
        "cannot detach d2: only applicable to mirror and replacing vdevs\n"
    )
    good(system, "zpool remove tank d3")
    assert verify(system.pools["tank"]).sound


@pytest.mark.parametrize("lose", ["zpool offline tank d0", "rm"])
def test_the_disk_that_a_mirror_was_made_from_can_go(system: System, lose: str) -> None:
    good(system, "zpool create tank d0")
    good(system, "zpool attach tank d0 d1")
    if lose == "rm":
        (system.folder / "d0").unlink()
    else:
        good(system, lose)
    good(system, "zfs create tank/home")
    assert "state: DEGRADED" in good(system, "zpool status") and "SUSPENDED" not in good(system, "zpool list")


def test_a_disk_of_a_stripe_can_become_a_mirror(system: System) -> None:
    good(system, "zpool create tank d0 d1")
    good(system, "zpool attach tank d1 d2")
    good(system, "zfs create tank/home")
    assert "mirror-1  ONLINE" in good(system, "zpool status")


def test_offline_and_online(system: System) -> None:
    good(system, "zpool create tank mirror d0 d1")
    good(system, "zpool offline tank d0")
    assert bad(system, "zpool offline tank d1") == "cannot offline d1: no valid replicas\n"
    out = good(system, "zpool status -x")
    assert "state: DEGRADED" in out and "taken offline by the administrator" in out and "OFFLINE" in out
    good(system, "zfs create tank/a")
    good(system, "zpool online tank d0")
    assert good(system, "zpool status -x") == "all pools are healthy\n"
    good(system, "rm -f d1")
    good(system, "mkfile -n 64m d1")
    assert "onlined, but remains in faulted state" in good(system, "zpool online tank d1")
    assert "FAULTED      0     0     0  corrupted data" in good(system, "zpool status")


def test_a_scrub_names_the_file_that_is_lost(system: System) -> None:
    good(system, "zpool create tank mirror d0 d1")
    good(system, "zfs create tank/a")
    data = random.Random(3).randbytes(200_000)
    (system.folder / "data").write_bytes(data)
    good(system, "cp data tank/a:/data")
    for name in ("d0", "d1"):
        with (system.folder / name).open("r+b") as file:
            file.seek((system.folder / name).read_bytes().index(data[:512]))
            file.write(bytes(512))
    good(system, "zpool scrub tank")
    out = good(system, "zpool status -v")
    assert "One or more devices has experienced an error resulting in data\n\tcorruption." in out
    assert "ZFS-8000-8A" in out and "with 1 errors" in out
    assert out.endswith("errors: Permanent errors have been detected in the following files:\n\n        tank/a:/data\n")
    assert "errors: 1 data errors, use '-v' for a list\n" in good(system, "zpool status")
    assert run("cat tank/a:/data", system).status == 1
    good(system, "zpool clear tank")
    assert "errors: 1 data errors" in good(system, "zpool status -x")
    good(system, "rm tank/a:/data")
    good(system, "zpool scrub tank")
    assert good(system, "zpool status -x") == "all pools are healthy\n"


def test_a_scrub_in_progress_can_be_seen_and_stopped(system: System) -> None:
    good(system, "zpool create tank d0")
    good(system, "zfs create tank/a")
    system.pools["tank"].scan.limit = 1
    good(system, "zpool scrub tank")
    assert "scrub in progress since" in good(system, "zpool status")
    assert "currently scrubbing; use 'zpool scrub -s'" in bad(system, "zpool scrub tank")
    good(system, "zpool scrub -s tank")
    assert "scan: scrub canceled on" in good(system, "zpool status")
    assert bad(system, "zpool scrub -s tank") == "cannot cancel scrubbing tank: there is no active scrub\n"


def test_properties_of_the_pool_are_kept_on_the_disks(system: System) -> None:
    good(system, "zpool create -o failmode=continue tank d0")
    good(system, "zpool set autoexpand=on tank")
    good(system, "zfs create tank/a")
    good(system, "zpool set bootfs=tank/a tank")
    good(system, "zpool export tank")
    good(system, "zpool import tank other")
    lines = good(system, "zpool get all other").splitlines()
    found = {row.split()[1]: row.split()[2:] for row in lines[1:]}
    assert found["failmode"] == ["continue", "local"] and found["autoexpand"] == ["on", "local"]
    assert found["bootfs"] == ["other/a", "local"] and found["delegation"] == ["on", "default"]
    assert found["size"] == ["59.5M", "-"] and found["version"] == ["28", "default"]
    assert "must be one of 'wait | continue | panic'" in bad(system, "zpool set failmode=x other")
    assert "'size' is readonly" in bad(system, "zpool set size=1 other")
    assert "cannot set property for 'other': property 'version' number 9" in bad(system, "zpool set version=9 other")


def test_export_import_and_what_import_lists(system: System) -> None:
    good(system, "zpool create tank mirror d0 d1")
    guid = system.pools["tank"].guid
    good(system, "zpool export tank")
    assert not system.cachefile.exists()
    assert good(system, "zpool import") == (
        f"  pool: tank\n    id: {guid}\n state: ONLINE\n"
        "action: The pool can be imported using its name or numeric identifier.\nconfig:\n\n"
        "\ttank        ONLINE\n\t  mirror-0  ONLINE\n\t    d0      ONLINE\n\t    d1      ONLINE\n"
    )
    assert bad(system, "zpool import nope") == "cannot import 'nope': no such pool available\n"
    (system.folder / "d1").rename(system.folder / "away")
    (system.folder / "away").rename(system.folder / "elsewhere")
    good(system, f"zpool import {guid} new")
    assert "elsewhere" in good(system, "zpool status new")
    assert "already created/imported" in bad(system, "zpool import new")
    good(system, "zpool destroy new")
    assert "(DESTROYED)" in good(system, "zpool import -D")
    with FileDisk(system.folder / "d0", writable=False) as disk:
        assert {each.config["state"] for each in read_labels(disk)} == {DESTROYED}
    assert "use '-f' to import anyway" in bad(system, "zpool import -D new")
    good(system, "zpool import -D -f new")


def _labels(system: System, name: str, **changed: object) -> None:
    """Write a disk's labels anew with something in the configuration changed."""
    with FileDisk(system.folder / name) as disk:
        for each in read_labels(disk):
            offset = label_offset(disk.size, each.number)
            config = NVList(each.config | changed)
            disk.write(offset + PHYS_OFFSET, pack_config(config, offset))


def _root_lost(system: System, name: str) -> None:
    """Overwrite every copy of the block that the uberblocks of a pool point to, and all older ones' blocks."""
    with FileDisk(system.folder / name) as disk:
        for _, uberblock in read_labels(disk)[0].uberblocks:
            for dva in uberblock.rootbp.dvas:
                disk.write(dva.offset + DATA_OFFSET, b"\xff" * 512)


CONDITIONS = {
    "whole": (lambda system: None, "The pool can be imported using its name or numeric identifier."),
    "newer": (lambda system: setattr(system, "version", 23), "The pool is formatted using an incompatible version."),
    "features": (
        lambda system: _labels(system, "d0", features_for_read={"com.example:time_travel": 1}),
        "time_travel",
    ),
    "version": (lambda system: _labels(system, "d0", version=77), "incompatible version"),
    "root lost": (lambda system: _root_lost(system, "d0"), "The pool metadata is corrupted."),
    "in use": (lambda system: _labels(system, "d0", state=0), "and\n\tthe '-f' flag."),
}  # fmt: skip


@pytest.mark.parametrize("condition", CONDITIONS)
def test_what_import_lists_as_importable_it_imports_and_nothing_else(system: System, condition: str) -> None:
    good(system, "zpool create tank d0")
    good(system, "zpool export tank")
    change, said = CONDITIONS[condition]
    change(system)
    before = (system.folder / "d0").read_bytes()
    listed = good(system, "zpool import")
    assert said in listed and ("state: ONLINE" in listed) == ("cannot be imported" not in listed)
    assert (system.folder / "d0").read_bytes() == before
    done = run("zpool import tank", system)
    assert (done.status == 0) == ("numeric identifier." in listed), done
    assert ("use '-f'" in done.err) == ("the '-f' flag" in listed)
    assert (run("zpool import -f tank", system).status == 0) == (condition == "in use"), "or it is imported already"


def test_a_device_that_is_missing_at_the_import_is_called_by_its_number(system: System) -> None:
    good(system, "zpool create tank mirror d0 d1")
    good(system, "zpool export tank")
    (system.folder / "d1").unlink()
    out = good(system, "zpool import")
    assert "state: DEGRADED" in out and "d1      UNAVAIL  cannot open" in out and "ZFS-8000-2Q" in out
    good(system, "zpool import tank")
    assert f"was {system.folder}/d1" in good(system, "zpool status")
    good(system, "zpool export tank")
    (system.folder / "d0").unlink()
    assert run("zpool import", system).err == "no pools available to import\n"


def test_history_is_written_as_it_was_typed(system: System) -> None:
    good(system, "zpool create -O atime=off tank d0")
    good(system, "zfs create tank/a")
    bad(system, "zfs create tank/a")
    good(system, "zfs snapshot tank/a@x")
    good(system, "zfs list")
    lines = good(system, "zpool history").splitlines()
    assert [line.partition(" ")[2] for line in lines[1:-1]] == [
        "zpool create -O atime=off tank d0", "zfs create tank/a", "zfs snapshot tank/a@x",
    ]  # fmt: skip
    assert re.match(r"2011-08-1\d\.\d\d:00:00 zpool create", lines[1])
    out = good(system, "zpool history -il tank")
    assert "[internal snapshot txg:" in out and "[user root on smartos:global]" in out
    good(system, "zpool export tank")
    pool = Pool.open([FileDisk(system.folder / "d0", writable=False)])
    assert [each[COMMAND] for each in read_history(pool) if COMMAND in each][-1] == "zpool export tank"


def test_upgrade_tells_the_versions(tmp_path: Path) -> None:
    system = System(tmp_path, version=28)
    good(system, "mkfile -n 64m d0")
    good(system, "zpool create -o version=23 tank d0")
    out = good(system, "zpool upgrade -v")
    assert " 1   Initial ZFS version\n" in out and " 28  Multiple vdev replacements\n" in out
    assert "\n23   tank\n" in good(system, "zpool upgrade")
    assert "older on-disk format" in good(system, "zpool status")
    done = run("zpool upgrade tank", system)
    assert done.status == 1 and "cannot upgrade 'tank'" in done.err
    assert "\n 4   tank\n" in good(system, "zfs upgrade")


def test_a_disk_that_fails_is_seen_in_the_counts(system: System) -> None:
    """Faults are put under a pool that commands made, as a laboratory does."""
    good(system, "zpool create tank mirror d0 d1")
    good(system, "zfs create tank/a")
    (system.folder / "data").write_bytes(random.Random(4).randbytes(100_000))
    good(system, "cp data tank/a:/data")
    leaf = system.pools["tank"].leaf("d0")
    leaf.disk = FaultyDisk(leaf.disk, [UnreadableSector(4 << 20, 2 << 20)])
    assert run("cat tank/a:/data", system).data == (system.folder / "data").read_bytes()
    good(system, "zpool scrub tank")
    out = good(system, "zpool status")
    assert "ZFS-8000-9P" in out and "attempt was made to correct the error" in out
    assert int(re.search(r"d0 +ONLINE +(\d+)", out)[1]) > 0


def test_the_folder_may_have_another_name_that_labels_know(tmp_path: Path) -> None:
    """With `dev` a pool's labels are the same wherever the files are, and each command finds its files by it."""
    with System(tmp_path, dev="/dev/dsk", seed=1) as first:
        for line in ("mkfile 64m d0 d1 d2", "zpool create tank mirror d0 /dev/dsk/d1", "zpool replace tank d1 d2"):
            good(first, line)
        assert "no such device in /dev/dsk\n" in bad(first, "zpool add -f tank d9")
        assert "/dev/dsk/d0 is part of active pool 'tank'" in bad(first, "zpool create again d0")
        config = read_labels(first.disk(first.path("d2")))[0].config
        assert [each["path"] for each in config["vdev_tree"]["children"]] == ["/dev/dsk/d0", "/dev/dsk/d2"]
        assert "path: '/dev/dsk/d0'" in good(first, "zdb -l d0")
    with System(tmp_path, dev="/dev/dsk") as second:
        assert "    d2      ONLINE" in good(second, "zpool status")
        good(second, "zpool export tank")
        good(second, "zpool import tank")
        assert good(second, "zpool list -H -o name") == "tank\n"
