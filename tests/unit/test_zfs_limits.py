"""Every limit of names and values, by table: at the limit it is taken, one beyond it is refused, and nothing changed.

The messages are those of `libzfs` as of August 2011 but for a property's value, where the real tools broke off;
tests/conformance/test_zfs_commands_fuse.py holds them against the real programs.
"""

from collections.abc import Callable

import pytest

from smartos.commands import System, run
from smartos.zfs.errors import Busy, Exists, InvalidName, NameTooLong, NoSuchName, Unsupported, ZfsError
from smartos.zfs.spa.spa import Spa
from tests.unit.command_lines import good, system
from tests.unit.zfs_pools import devices, files, pool, reread, sound

__all__ = ["system"]

LONG = "x" * 250  # tank/ and this have 255 bytes, the most
USER = "org.example:" + "x" * 243  # 255 bytes
SET, NEW = "cannot set property for 'tank'", "cannot create 'tank/new'"

REFUSED = {
    # pools' names
    f"zpool create {'p' * 256} d3": f"cannot create '{'p' * 256}': name is too long\npool name may have been omitted",
    "zpool create 1p d3": "cannot create '1p': name must begin with a letter\npool name may have been omitted",
    "zpool create _p d3": "cannot create '_p': name must begin with a letter\npool name may have been omitted",
    "zpool create pä d3": "cannot create 'pä': invalid character 'ä' in pool name\npool name may have been omitted",
    "zpool create p%l d3": "cannot create 'p%l': invalid character '%' in pool name\npool name may have been omitted",
    "zpool create mirrored d3": "cannot create 'mirrored': name is reserved\npool name may have been omitted",
    "zpool create raidzoo d3": "cannot create 'raidzoo': name is reserved\npool name may have been omitted",
    "zpool create spares d3": "cannot create 'spares': name is reserved\npool name may have been omitted",
    "zpool create log d3": "cannot create 'log': name is reserved\npool name may have been omitted",
    "zpool create c0 d3": "cannot create 'c0': pool name is reserved\npool name may have been omitted",
    "zpool create p@q d3": "cannot create 'p@q': invalid character '@' in pool name\npool name may have been omitted",
    # datasets' names
    f"zfs create tank/{LONG}x": f"cannot create 'tank/{LONG}x': name is too long",
    "zfs create /tank/new": "cannot create '/tank/new': leading slash in name",
    "zfs create tank/new/": "cannot create 'tank/new/': trailing slash in name",
    "zfs create tank//new": "cannot create 'tank//new': empty component in name",
    "zfs create tank//": "cannot create 'tank//': empty component in name",
    "zfs create ''": "cannot create '': empty component in name",
    "zfs create tank/new@s": "cannot create 'tank/new@s': snapshot delimiter '@' in filesystem name",
    "zfs create tank/a@b@c": "cannot create 'tank/a@b@c': multiple '@' delimiters in name",
    "zfs create tank/a@@c": "cannot create 'tank/a@@c': multiple '@' delimiters in name",
    "zfs create tank/new#": "cannot create 'tank/new#': invalid character '#' in name",
    "zfs create tank/né": "cannot create 'tank/né': invalid character 'é' in name",
    "zfs create tank/new%": "cannot create 'tank/new%': invalid character % in name",
    f"zfs create -p tank/a/{'x' * 249}": f"cannot create 'tank/a/{'x' * 249}': name is too long",
    f"zfs clone tank/home@s tank/{LONG}x": f"cannot create 'tank/{LONG}x': name is too long",
    f"zfs create -V 8m tank/{LONG}x": f"cannot create 'tank/{LONG}x': name is too long",
    f"zfs rename tank/home tank/{LONG}x": f"cannot rename to 'tank/{LONG}x': name is too long",
    "zfs rename tank/home tank/a#": "cannot rename to 'tank/a#': invalid character '#' in name",
    # what is below a dataset that is renamed has a name, too
    f"zfs rename tank/home tank/{'x' * 249}": "cannot rename 'tank/home': dataset name is too long",
    # snapshots' names
    "zfs snapshot tank": "cannot snapshot 'tank': missing '@' delimiter in snapshot name",
    "zfs snapshot tank@": "cannot snapshot 'tank@': empty component in name",
    "zfs snapshot tank@a@b": "cannot snapshot 'tank@a@b': multiple '@' delimiters in name",
    "zfs snapshot tank@a/b": "cannot snapshot 'tank@a/b': trailing slash in name",
    "zfs snapshot tank@a%": "cannot snapshot 'tank@a%': invalid character % in name",
    f"zfs snapshot tank@{LONG}x": f"cannot snapshot 'tank@{LONG}x': name is too long",
    f"zfs snapshot -r tank@{LONG}": (
        f"cannot create snapshot 'tank/home@{LONG}': dataset name is too long\nno snapshots were created"
    ),
    f"zfs rename tank/home@s {LONG}": f"cannot rename to 'tank/home@{LONG}': name is too long",
    f"zfs rename -r tank@r {LONG}": "cannot rename 'tank@r': dataset name is too long",
    # properties' names and values
    f"zfs set {USER}x=1 tank": f"{SET}: property name '{USER}x' is too long",
    f"zfs create -o {USER}x=1 tank/new": f"{NEW}: property name '{USER}x' is too long",
    "zfs set org.Example:a=1 tank": f"{SET}: invalid property 'org.Example:a'",
    "zfs set a/b:c=1 tank": f"{SET}: invalid property 'a/b:c'",
    "zfs set é:c=1 tank": f"{SET}: invalid property 'é:c'",
    "zfs set nocolon=1 tank": f"{SET}: invalid property 'nocolon'",
    f"zfs set a:b={'v' * 8192} tank": f"{SET}: property value too long",
    f"zfs create -o a:b={'v' * 8192} tank/new": f"{NEW}: property value too long",
    f"zfs set sharenfs={'v' * 1024} tank": f"{SET}: 'sharenfs' is too long",
    f"zfs set mountpoint=/{'v' * 1023} tank": f"{SET}: 'mountpoint' is too long",
    f"zfs set mountpoint=/a/{'v' * 256}/b tank": f"{SET}: component of 'mountpoint' is too long",
    "zfs set mountpoint=here tank": f"{SET}: 'mountpoint' must be an absolute path, 'none', or 'legacy'",
    # numbers
    "zfs set quota=16e tank": f"{SET}: numeric value is too large",
    "zfs set quota=18446744073709551616 tank": f"{SET}: numeric value is too large",
    f"zfs set quota={'9' * 5000} tank": f"{SET}: numeric value is too large",
    f"zfs set quota={'9' * 400}.5 tank": f"{SET}: numeric value is too large",
    "zfs set quota=-1 tank": f"{SET}: bad numeric value '-1'",
    "zfs set quota=٣ tank": f"{SET}: bad numeric value '٣'",
    "zfs set quota=1kk tank": f"{SET}: invalid numeric suffix 'kk'",
    "zfs set quota=1bb tank": f"{SET}: invalid numeric suffix 'bb'",
    "zfs set quota=0 tank": f"{SET}: use 'none' to disable quota/refquota",
    "zfs set recordsize=256k tank": f"{SET}: 'recordsize' must be power of 2 from 512 to 128k",
    "zfs set recordsize=256 tank": f"{SET}: 'recordsize' must be power of 2 from 512 to 128k",
    "zfs set recordsize=3k tank": f"{SET}: 'recordsize' must be power of 2 from 512 to 128k",
    "zfs set copies=4 tank": f"{SET}: 'copies' must be one of '1 | 2 | 3'",
    "zfs create -V 0 tank/new": f"{NEW}: volume size cannot be zero",
    "zfs create -V 1000 tank/new": f"{NEW}: volume size must be a multiple of volume block size",
    "zfs create -V 16e tank/new": "bad volume size '16e': numeric value is too large",
    "zfs create -b 256 -V 8m tank/new": f"{NEW}: 'volblocksize' must be power of 2 from 512 to 128k",
    # of pools
    f"zpool set cachefile=/{'v' * 1023} tank": f"{SET}: 'cachefile' is too long",
    "zpool set cachefile=/nowhere/at/all tank": f"{SET}: '/nowhere/at' is not a valid directory",
    "zpool set cachefile=/tmp/.. tank": f"{SET}: '/tmp/..' is not a valid file",
    "zpool set cachefile=/tmp/ tank": f"{SET}: '/tmp/' is not a valid file",
    "zpool set cachefile=here tank": f"{SET}: property 'cachefile' must be empty, an absolute path, or 'none'",
    f"zpool set dedupditto={1 << 64} tank": f"{SET}: numeric value is too large",
}


def everything(system: System) -> list[str]:
    lines = ("zfs list -Ht all -o name", "zfs get -rHs local all tank", "zpool get all tank", "zpool history tank")
    return [run(line, system).out for line in lines]


def prepared(system: System) -> System:
    for line in (
        "zpool create -o version=28 tank mirror d0 d1", "zfs create tank/home", "zfs create tank/home/deeper",
        "zfs snapshot tank/home@s", "zfs snapshot -r tank@r",
    ):  # fmt: skip
        good(system, line)
    return system


def test_every_name_and_value_that_there_cannot_be_is_refused_in_the_real_words(system: System) -> None:
    prepared(system)
    before = everything(system)
    for line, message in REFUSED.items():
        done = run(line, system)
        assert (done.err, bool(done.status)) == (f"{message}\n", True), line[:200]
        assert everything(system) == before, line[:200]
    sound(system.pools["tank"])


TAKEN = (
    f"zpool create {'p' * 255} d3", f"zpool destroy {'p' * 255}", "zpool create 'a b-_.:Z9' d3", "zpool create c d4",
    "zpool create logs d5", f"zfs create tank/{LONG}", f"zfs rename tank/{LONG} tank/{'y' * 250}",
    f"zfs snapshot tank@{'y' * 250}", "zfs create 'tank/a b-_.:Z9'", "zfs snapshot 'tank@a b-_.:Z9'",
    f"zfs rename tank/home tank/{'h' * 241}", f"zfs set {USER}=1 tank", f"zfs set :={'v' * 8191} tank",
    "zfs set a:= tank", f"zfs create -o a:b={'v' * 8191} tank/new", f"zfs set sharenfs={'v' * 1023} tank",
    f"zfs set mountpoint=/{'v' * 255}/{'w' * 255} tank", f"zfs set quota={(1 << 64) - 1} tank", "zfs set quota=15.9e tank",
    "zfs set quota=.5g tank", "zfs set quota=1Gb tank", "zfs create -s -V 8e tank/vol", "zfs set recordsize=512 tank",
    "zpool set cachefile=none tank",
)  # fmt: skip


def test_what_is_just_within_the_limits_is_taken_and_kept(system: System) -> None:
    prepared(system)
    for line in TAKEN:
        good(system, line)
    found = sound(system.pools["tank"])
    assert found.count
    again = Spa.import_(devices(system.pools["tank"]), "tank")
    assert again.get("tank", USER) == ("1", "local") and again.get("tank/new", "a:b")[0] == "v" * 8191
    assert again.get("tank", ":")[0] == "v" * 8191 and again.get("tank", "a:") == ("", "local")


@pytest.mark.parametrize(("version", "most"), [(15, 1023), (16, 8191)])
def test_a_value_s_length_depends_on_the_pool_s_version(version: int, most: int) -> None:
    spa = pool(version=version)
    spa.set("tank", **{"a:b": "v" * most})
    with pytest.raises(NameTooLong, match="property value too long"):
        spa.set("tank", **{"a:b": "v" * (most + 1)})
    assert spa.get("tank", "a:b") == ("v" * most, "local")


MODEL: dict[str, tuple[type[ZfsError], Callable[[Spa], object]]] = {
    "pool": (InvalidName, lambda spa: Spa.create("1tank", devices(pool()))),
    "dataset": (InvalidName, lambda spa: spa.create("tank/a#b")),
    "no name": (InvalidName, lambda spa: spa.create("tank/")),
    "long": (NameTooLong, lambda spa: spa.create("tank/" + "x" * 251)),
    "long by bytes": (NameTooLong, lambda spa: spa.create("tank/" + "é" * 130)),
    "volume": (NameTooLong, lambda spa: spa.create_volume("tank/" + "x" * 251, "8M")),
    "clone": (InvalidName, lambda spa: spa.clone("tank/home@s", "tank/c@d")),
    "snapshot": (InvalidName, lambda spa: spa.snapshot("tank@a/b")),
    "snapshot of a snapshot": (InvalidName, lambda spa: spa.snapshot("tank@a@b")),
    "snapshots below": (NameTooLong, lambda spa: spa.snapshot("tank@" + "x" * 250, recursive=True)),
    "rename": (NameTooLong, lambda spa: spa.rename("tank/home", "tank/" + "x" * 249)),
    "rename of a snapshot": (NameTooLong, lambda spa: spa.rename("tank/home@s", "tank/home@" + "x" * 250)),
    "property": (Unsupported, lambda spa: spa.set("tank", nothing="x")),
    "property's name": (NameTooLong, lambda spa: spa.set("tank", **{USER + "x": "1"})),
    "property at creation": (NameTooLong, lambda spa: spa.create("tank/b", **{"a:b": "v" * 8192})),
    "property's NUL": (Unsupported, lambda spa: spa.set("tank", **{"a:b": "v\0w"})),
    "negative": (Unsupported, lambda spa: spa.set("tank", quota=-1)),
    "too large": (Unsupported, lambda spa: spa.set("tank", quota=1 << 64)),
    "no number": (Unsupported, lambda spa: spa.set("tank", quota="nan")),
    "volume's size": (Unsupported, lambda spa: spa.create_volume("tank/v", 0)),
    "volume's blocks": (Unsupported, lambda spa: spa.create_volume("tank/v", 1000)),
    "file": (NameTooLong, lambda spa: spa.open("tank").create("/" + "x" * 256)),
    "file by bytes": (NameTooLong, lambda spa: spa.open("tank").create("/" + "é" * 128)),
    "directory": (NameTooLong, lambda spa: spa.open("tank").mkdir("/" + "x" * 256)),
    "link": (NameTooLong, lambda spa: spa.open("tank").symlink("/" + "x" * 256, "to")),
    "second name": (NameTooLong, lambda spa: spa.open("tank").link("/f", "/" + "x" * 256)),
    "new name": (NameTooLong, lambda spa: spa.open("tank").rename("/f", "/" + "x" * 256)),
    "written": (NameTooLong, lambda spa: spa.open("tank").write("/" + "x" * 256, b"data")),
    "dot": (Exists, lambda spa: spa.open("tank").create("/.")),
    "dot dot": (Exists, lambda spa: spa.open("tank").mkdir("/d/..")),
    "dot dot link": (Exists, lambda spa: spa.open("tank").symlink("/d/..", "to")),
    "dot dot written": (Busy, lambda spa: spa.open("tank").write("/d/..", b"data")),
    "renamed to dot dot": (Exists, lambda spa: spa.open("tank").rename("/f", "/d/..")),
    "dot dot renamed": (Busy, lambda spa: spa.open("tank").rename("/d/..", "/e")),
    "dot removed": (Busy, lambda spa: spa.open("tank").rmdir("/d/.")),
    "dot dot removed": (Busy, lambda spa: spa.open("tank").rmdir("/d/..")),
    "dot unlinked": (Busy, lambda spa: spa.open("tank").unlink("/d/.")),
    "root": (Exists, lambda spa: spa.open("tank").mkdir("/")),
    "NUL": (InvalidName, lambda spa: spa.open("tank").create("/a\0b")),
    "no bytes": (InvalidName, lambda spa: spa.open("tank").create("/a\ud800b")),
    "looked up": (NameTooLong, lambda spa: spa.open("tank").read("/" + "x" * 256)),
}


@pytest.mark.parametrize("case", MODEL)
def test_the_model_refuses_it_too_before_anything_has_changed(case: str) -> None:
    spa = pool()
    spa.create("tank/home")
    spa.create("tank/home/deeper")
    spa.snapshot("tank/home@s")
    spa.open("tank").write("/f", b"here")
    spa.open("tank").mkdir("/d")
    spa.sync()
    kind, act = MODEL[case]
    before = ([each.name for each in reread(spa).datasets()], files(spa, "tank"), spa.get("tank", "quota"))
    with pytest.raises(kind) as raised:
        act(spa)
    assert type(raised.value) is kind and str(raised.value)
    spa.sync()
    assert ([each.name for each in reread(spa).datasets()], files(spa, "tank"), spa.get("tank", "quota")) == before
    assert not spa.suspended
    sound(spa)


def test_dots_in_a_path_mean_what_they_mean() -> None:
    fs = pool().open("tank")
    fs.mkdir("/d")
    fs.mkdir("/d/e")
    fs.write("/d/../f", b"one")
    fs.write("/d/e/.././g", b"two")
    assert fs.listdir("/") == ["d", "f"] and fs.read("/d/e/../../f") == b"one" and fs.read("/d/g") == b"two"
    assert fs.lookup("/..") == fs.lookup("/../..") == fs.lookup("/")
    with pytest.raises(NoSuchName):
        fs.read("/f/../f")
    fs.rename("/d/e", "/e")
    assert fs.lookup("/e/..") == fs.lookup("/")


def test_names_of_files_at_the_limit_are_taken() -> None:
    spa = pool()
    fs = spa.open("tank")
    names = ["x" * 255, "é" * 127, "...", " ", "a\nb", ".hidden", "\\", "a\udcffb", "日本語"]
    for name in names:
        fs.write(f"/{name}", name.encode("utf-8", "surrogateescape"))
    spa.sync()
    assert fs.listdir("/") == sorted(names)
    assert files(spa, "tank") == {"/": None} | {f"/{n}": n.encode("utf-8", "surrogateescape") for n in names}
    sound(spa)
