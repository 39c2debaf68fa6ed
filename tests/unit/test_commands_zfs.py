"""`zfs` over files: datasets, properties, streams, what is refused and in which words, and files in filesystems."""

import random
from pathlib import Path

import pytest

from smartos.commands import System, run
from smartos.zfs.spa.spa import verify
from tests.unit.command_lines import NOON, bad, good


@pytest.fixture
def system(tmp_path: Path) -> System:
    """A system with a pool, a filesystem with a file, a snapshot, a clone."""
    made = System(tmp_path, clock=lambda: NOON, seed=1)
    (tmp_path / "text").write_bytes(b"hello, world\n")
    for line in (
        "mkfile -n 64m d0 d1", "zpool create tank d0", "zfs create tank/home", "cp text tank/home:/text",
        "zfs snapshot tank/home@monday", "zfs clone tank/home@monday tank/clone",
    ):  # fmt: skip
        good(made, line)
    return made


def test_the_default_columns_and_their_widths(system: System) -> None:
    lines = good(system, "zfs list").splitlines()
    assert lines[0] == "NAME         USED  AVAIL  REFER  MOUNTPOINT"
    assert [line.split()[0] for line in lines[1:]] == ["tank", "tank/clone", "tank/home"]
    assert lines[3].endswith("/tank/home") and {len(line) for line in lines[2:]} == {len(lines[2]), len(lines[3])}


def test_list_by_type_order_depth_and_columns(system: System) -> None:
    assert good(system, "zfs list -H -t snapshot -o name") == "tank/home@monday\n"
    assert good(system, "zfs list -H -o name -S name") == "tank/home\ntank/clone\ntank\n"
    assert good(system, "zfs list -H -d 0 -o name tank") == "tank\n"
    assert good(system, "zfs list -H -o origin tank/clone") == "tank/home@monday\n"
    head = good(system, "zfs list -o space").splitlines()[0]
    assert head.split() == ["NAME", "AVAIL", "USED", "USEDSNAP", "USEDDS", "USEDREFRESERV", "USEDCHILD"]
    good(system, "zfs set a:b=c tank")
    assert good(system, "zfs list -o name,a:b tank/home") == "NAME       A:B\ntank/home  c\n"
    assert "invalid type 'foo'" in bad(system, "zfs list -t foo", 2)


def test_snapshots_are_listed_when_the_pool_says_so(system: System) -> None:
    assert "@" not in good(system, "zfs list")
    good(system, "zpool set listsnapshots=on tank")
    assert "tank/home@monday" in good(system, "zfs list")


def test_get_tells_where_a_value_comes_from(system: System) -> None:
    good(system, "zfs set compression=gzip-3 tank")
    good(system, "zfs set compression=off tank/home")
    assert good(system, "zfs get -r compression tank") == (
        "NAME              PROPERTY     VALUE     SOURCE\n"
        "tank              compression  gzip-3    local\n"
        "tank/clone        compression  gzip-3    inherited from tank\n"
        "tank/home         compression  off       local\n"
        "tank/home@monday  compression  -         -\n"
    )
    good(system, "zfs inherit compression tank/home")
    assert good(system, "zfs get -H -o value,source compression tank/home") == "gzip-3\tinherited from tank\n"
    assert good(system, "zfs get -H -s local -r -o name,property all tank") == "tank\tcompression\n"
    good(system, "zfs inherit -r compression tank")
    assert good(system, "zfs get -H -o source compression tank") == "default\n"


def test_get_all_shows_each_kind_what_it_has(system: System) -> None:
    good(system, "zfs create -V 8m tank/vol")
    names = {
        kind: [line.split()[1] for line in good(system, f"zfs get all {name}").splitlines()[1:]]
        for kind, name in (("f", "tank/home"), ("v", "tank/vol"), ("s", "tank/home@monday"), ("c", "tank/clone"))
    }
    assert "volsize" in names["v"] and "mountpoint" not in names["v"] and "recordsize" not in names["v"]
    assert "defer_destroy" in names["s"] and "available" not in names["s"]
    assert "origin" in names["c"] and "origin" not in names["f"] and names["f"][0] == "type"
    assert good(system, "zfs get -H -o value volsize,refreservation,volblocksize tank/vol") == "8M\n8M\n8K\n"


def test_mountpoints_follow_their_parents_and_the_alternate_root(system: System) -> None:
    good(system, "zfs set mountpoint=/export tank/home")
    good(system, "zfs create tank/home/ann")
    assert good(system, "zfs list -H -o mountpoint tank/home/ann") == "/export/ann\n"
    good(system, "zfs set mountpoint=legacy tank/home")
    assert good(system, "zfs get -H -o value,source mountpoint tank/home/ann") == "legacy\tinherited from tank/home\n"
    good(system, "zpool export tank")
    good(system, "zpool import -R /a tank")
    assert good(system, "zfs list -H -o mountpoint tank tank/clone") == "/a/tank\n/a/tank/clone\n"


REFUSED = (
    ("zfs create tank/home", "cannot create 'tank/home': dataset already exists\n"),
    ("zfs create tank/x/y", "cannot create 'tank/x/y': parent does not exist\n"),
    ("zfs create nope/a", "cannot create 'nope/a': no such pool 'nope'\n"),
    ("zfs create tank/a@b", "cannot create 'tank/a@b': snapshot delimiter '@' in filesystem name\n"),
    ("zfs create -V 0 tank/v", "cannot create 'tank/v': volume size cannot be zero\n"),
    ("zfs create -V 1t tank/v", "cannot create 'tank/v': out of space\n"),
    ("zfs create -V 8k -b 3k tank/v", "'volblocksize' must be power of 2 from 512 to 128k\n"),
    ("zfs create -o reservation=1t tank/r", "size is greater than available space\n"),
    ("zfs create -o dedup=on tank/r", "deduplication is not done here; leave 'dedup' off\n"),
    ("zfs create -o casesensitivity=mixed tank/r", "only 'casesensitivity=sensitive' is done here\n"),
    ("zfs destroy tank/home@monday", "use '-R' to destroy the following datasets:\ntank/clone\n"),
    ("zfs destroy tank/home", "use '-r' to destroy the following datasets:\ntank/home@monday\n"),
    ("zfs destroy -r tank/home", "cannot destroy 'tank/home': filesystem has dependent clones\n"),
    ("zfs destroy -d tank/home@monday", "nothing is destroyed later here; destroy them, or use '-R'\n"),
    ("zfs snapshot -r tank/home@monday", "dataset already exists\nno snapshots were created\n"),
    ("zfs snapshot -o a:b=c tank/home@x", "snapshots have no properties of their own here"),
    ("zfs promote tank/home", "cannot promote 'tank/home': not a cloned filesystem\n"),
    ("zfs rename tank other", "missing dataset name\n"),
    ("zfs set quota=1k tank/home", "size is less than current used or reserved space\n"),
    ("zfs set a:b=c tank/home@monday", "this property can not be modified for snapshots\n"),
    ("zfs inherit quota tank", "use 'zfs set quota=none' to clear\n"),
    ("zfs send tank/home@monday", "Error: Stream can not be written to a terminal.\n"),
    ("zfs receive tank/x", "Error: Backup stream can not be read from a terminal.\n"),
    ("zfs send -R tank/home@monday", "zfs send -R: not done here"),
    ("zfs mount tank/home", "zfs mount: not done here"),
    ("zfs hold a tank/home@monday", "zfs hold: not done here"),
    ("zfs diff tank/home@monday", "zfs diff: not done here"),
    ("zfs upgrade -a", "a filesystem keeps its version here"),
)


def test_what_cannot_be_is_refused_and_changes_nothing(system: System) -> None:
    before = good(system, "zfs list -H -t all")
    for line, says in REFUSED:
        assert says in bad(system, line), line
        assert good(system, "zfs list -H -t all") == before, line


def test_destroy_takes_what_depends_on_it_in_order(system: System) -> None:
    good(system, "zfs create -p tank/home/a/b")
    good(system, "zfs snapshot -r tank/home@tuesday")
    good(system, "zfs clone tank/home/a@tuesday tank/clone/of")
    assert good(system, "zfs destroy -R tank/home") == ""
    assert good(system, "zfs list -H -t all -o name") == "tank\n"
    assert verify(system.pools["tank"]).sound


def test_destroy_of_snapshots_everywhere(system: System) -> None:
    good(system, "zfs snapshot -r tank@all")
    assert "snapshot is cloned\nno snapshots destroyed" in bad(system, "zfs destroy -r tank@monday")
    good(system, "zfs destroy -r tank@all")
    assert good(system, "zfs list -H -t snapshot -o name") == "tank/home@monday\n"
    good(system, "zfs destroy -R tank@monday")
    assert good(system, "zfs list -H -o name") == "tank\ntank/home\n"
    assert "does not exist\nno snapshots destroyed" in bad(system, "zfs destroy -r tank@monday")


def test_rollback_promote_rename(system: System) -> None:
    good(system, "zfs snapshot tank/home@tuesday")
    good(system, "cp text tank/home:/more")
    assert bad(system, "zfs rollback tank/home@monday").endswith("snapshots:\ntank/home@tuesday\n")
    good(system, "zfs rollback -r tank/home@monday")
    assert good(system, "ls tank/home:/") == "text\n"
    good(system, "zfs promote tank/clone")
    assert good(system, "zfs list -H -o name,origin tank/home") == "tank/home\ttank/clone@monday\n"
    good(system, "zfs rename tank/clone@monday friday")
    good(system, "zfs rename -p tank/clone tank/new/place")
    assert good(system, "zfs list -H -t all -o name") == (
        "tank\ntank/home\ntank/new\ntank/new/place\ntank/new/place@friday\n"
    )
    good(system, "zfs snapshot -r tank@x")
    good(system, "zfs rename -r tank@x @y")
    assert good(system, "zfs list -H -t snapshot -o name").count("@y\n") == 4
    assert verify(system.pools["tank"]).sound


def test_a_rollback_past_a_clone_needs_its_end(system: System) -> None:
    good(system, "zfs snapshot tank/home@tuesday")
    good(system, "zfs clone tank/home@tuesday tank/late")
    assert "clones of previous snapshots exist" in bad(system, "zfs rollback -r tank/home@monday")
    good(system, "zfs rollback -R tank/home@monday")
    assert "tank/late" not in good(system, "zfs list")


def test_streams_through_files_and_pipes(system: System) -> None:
    good(system, "zfs send tank/home@monday > full")
    assert (system.folder / "full").stat().st_size > 312
    out = good(system, "zfs receive -v tank/copy < full")
    assert out.startswith("receiving full stream of tank/home@monday into tank/copy@monday\nreceived ")
    good(system, "cp text tank/home:/more")
    good(system, "zfs snapshot tank/home@tuesday")
    good(system, "zfs send -i monday tank/home@tuesday | zfs receive tank/copy")
    assert good(system, "ls tank/copy:/") == "more\ntext\n"
    good(system, "zfs snapshot tank/home@wednesday")
    good(system, "zfs create tank/below")
    good(system, "zfs send -I monday tank/home@wednesday > two")
    good(system, "zfs send tank/home@monday | zfs receive -d tank/below")
    good(system, "zfs receive tank/below/home < two")
    assert good(system, "zfs list -H -t snapshot -o name -r tank/below/home").splitlines() == [
        f"tank/below/home@{day}" for day in ("monday", "tuesday", "wednesday")
    ]
    assert run("cat tank/below/home@tuesday:/more", system).data == b"hello, world\n"
    assert verify(system.pools["tank"]).sound


def test_streams_that_do_not_fit_are_refused(system: System) -> None:
    good(system, "zfs send tank/home@monday > full")
    good(system, "zfs snapshot tank/home@tuesday")
    good(system, "zfs send -i monday tank/home@tuesday > more")
    for line, says in (
        ("zfs receive tank/home < full", "destination 'tank/home' exists\nmust specify -F to overwrite it"),
        ("zfs receive -F tank/home < full", "destination has snapshots (eg. tank/home@monday)"),
        ("zfs receive tank/no < more", "cannot receive incremental stream: destination 'tank/no' does not exist"),
        ("zfs receive tank/clone < more", "does not\nmatch incremental source"),
        ("zfs receive tank/home < more", "destination already exists"),
        ("zfs receive tank/x < text", "failed to read from stream"),
        ("zfs receive tank/x < d1", "invalid stream (bad magic number)"),
        ("zfs send -i tuesday tank/home@monday > out", "not an earlier snapshot from the same fs"),
        ("zfs receive tank/x < nowhere", "sh: nowhere: cannot open"),
        ("zfs send tank/home@monday > d0", "sh: d0: cannot create: it is part of pool 'tank'"),
    ):
        assert says in bad(system, line), line
    damaged = bytearray((system.folder / "full").read_bytes())
    damaged[700] ^= 1
    (system.folder / "damaged").write_bytes(damaged)
    assert "invalid stream (checksum mismatch)" in bad(system, "zfs receive tank/x < damaged", still=False)
    (system.folder / "cut").write_bytes(bytes(damaged[:1000]))
    assert "invalid stream: it ends before its last record" in bad(system, "zfs receive tank/x < cut", still=False)
    assert "tank/x" not in good(system, "zfs list")


def test_a_full_stream_takes_the_place_of_a_dataset_when_told_to(system: System) -> None:
    good(system, "zfs create -o quota=9m tank/place")
    good(system, "cp text tank/place:/gone")
    good(system, "zfs send tank/home@monday > full")
    assert "invalid stream" in bad(system, "zfs receive -F tank/place < d1")
    assert good(system, "ls tank/place:/") == "gone\n"
    good(system, "zfs receive -F tank/place < full")
    assert good(system, "ls tank/place:/") == "text\n"
    assert good(system, "zfs get -H -o value,source quota tank/place") == "9M\tlocal\n"


def test_files_go_in_and_out(system: System) -> None:
    data = random.Random(5).randbytes(300_000)
    (system.folder / "data").write_bytes(data)
    good(system, "mkdir -p tank/home:/a/b")
    good(system, "cp data text tank/home:/a/b")
    assert good(system, "ls tank/home:/a/b") == "data\ntext\n"
    assert run("cat tank/home:/a/b/data", system).data == data
    good(system, "cp tank/home:/a/b/data back")
    assert (system.folder / "back").read_bytes() == data
    good(system, "cp tank/home:/text tank/clone:/copy")
    assert good(system, "ls -l tank/clone:/copy").split() == ["-rw-r--r--", "1", "0", "0", "13", "tank/clone:/copy"]
    good(system, "rm tank/home:/a/b/text")
    for line, says in (
        ("cat tank/home:/nope", "cat: tank/home:/nope: No such file or directory"),
        ("cp text tank/home@monday:/x", "Read-only file system"),
        ("cp text tank/nope:/x", "cannot open 'tank/nope': dataset does not exist"),
        ("mkdir tank/home:/a", "mkdir: tank/home:/a: File exists"),
        ("rm tank/home:/a", "is a directory"),
        ("rm d0", "rm: d0: it is part of pool 'tank'"),
        ("cp text d0", "cp: d0: it is part of pool 'tank'"),
        ("mkfile 64m d0", "mkfile: d0: it is part of pool 'tank'"),
    ):
        assert says in bad(system, line), line
    assert run("cat text", system).stdout == b"hello, world\n"


def test_what_is_full_says_so_and_stays_whole(system: System) -> None:
    (system.folder / "data").write_bytes(random.Random(6).randbytes(3 << 20))
    good(system, "zfs set quota=1m tank/home")
    assert "No space left on device" in bad(system, "cp data tank/home:/data", still=False)
    assert verify(system.pools["tank"]).sound
    good(system, "zfs set quota=none tank/home")
    good(system, "cp data tank/home:/data")


def test_internal_events_of_each_command_are_in_the_history(system: System) -> None:
    for line in (
        "zfs set quota=30m tank/home", "zfs inherit compression tank", "zfs rename tank/clone tank/other",
        "zfs promote tank/other", "zfs destroy tank/home", "zpool attach tank d0 d1", "zpool scrub tank",
        "zpool set failmode=continue tank",
    ):  # fmt: skip
        good(system, line)
    out = good(system, "zpool history -i tank")
    for event in (
        "quota set", "property set", "inherit", "rename", "promote", "destroy_begin_sync", "destroy", "vdev attach",
        "pool scrub", "pool scrub done", "pool property set", "create", "snapshot", "pool create",
    ):  # fmt: skip
        assert f"[internal {event} txg:" in out, event
    assert verify(system.pools["tank"]).sound
