"""zdb on small pools of ours: what it takes, what it refuses, and that what it prints is what the pool holds."""

import re
from pathlib import Path

import pytest

from smartos.commands import System, run
from smartos.commands.text import ctime
from smartos.commands.zdb.main import OPTIONS, REFUSED
from smartos.commands.zdb.text import compact, histogram, nicenum, nvlist_lines
from smartos.zfs.disk.disk import FileDisk
from smartos.zfs.format import nvlist
from smartos.zfs.format.blkptr import DVA, Blkptr
from smartos.zfs.format.nvlist import NVList
from smartos.zfs.spa.spa import Spa

SIZE = 64 << 20


class Machine(System):
    """A system with a pool, on one disk or a mirror of several."""

    def __init__(self, folder: Path, *names: str) -> None:
        super().__init__(folder, "none")
        self.disks = {name: FileDisk(self.path(name), SIZE, name=str(self.path(name))) for name in names}
        disks = tuple(self.disks.values())
        self.spa = self.pools["tank"] = Spa.create("tank", [("mirror", *disks)] if len(disks) > 1 else disks, seed=4)


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    machine = Machine(tmp_path_factory.mktemp("machine"), "c0t0d0", "c0t1d0")
    spa = machine.spa
    fs = spa.create("tank/home", compression="on")
    fs.mkdir("/dir")
    fs.write("/dir/text", b"hello, world\n" * 30000)
    fs.symlink("/link", "dir/text")
    spa.snapshot("tank/home@one")
    fs.write("/dir/text", b"another")
    for number in range(80):
        fs.create(f"/dir/a-name-that-is-much-too-long-for-an-entry-of-a-micro-zap-{number}")
    spa.create_volume("tank/vol", "4M").write(0, bytes(range(256)) * 64)
    spa.sync()
    return machine


def zdb(system: Machine, line: str, status: int = 0) -> str:
    done = run(f"zdb {line}", system)
    assert (done.status, bool(done.err)) == (status, bool(status)), (done.err, done.out[-300:])
    return done.out


def test_the_uberblock_is_the_pool_s(system: Machine) -> None:
    text, uberblock = zdb(system, "-uuuu tank"), system.spa.uberblock
    assert f"\ttxg = {uberblock.txg}\n" in text and f"\tguid_sum = {uberblock.guid_sum}\n" in text
    assert f"\trootbp = {uberblock.rootbp.describe(openzfs=True)}\n" in text


def test_datasets_with_their_numbers(system: Machine) -> None:
    found = re.findall(r"Dataset (\S+) \[(\w+)\], ID (\d+), cr_txg (\d+)", zdb(system, "-d tank"))
    expected = {each.name: (each.number, each.phys.creation_txg) for each in system.spa.datasets()}
    assert {name: (int(number), int(txg)) for name, _, number, txg in found if name != "mos"} == expected
    assert [kind for name, kind, *_ in found if name in ("mos", "tank/vol")] == ["META", "ZVOL"]
    order = [name for name, *_ in found]
    assert order[0] == "mos" and order[-1] == "tank" and order.index("tank/home@one") < order.index("tank/home")


def test_one_object_by_its_number(system: Machine) -> None:
    fs = system.spa.open("tank/home")
    number = fs.lookup("/dir/text")
    text = zdb(system, f"-ddddd tank/home {number}")
    for line in ("path\t/dir/text", "size\t7", "mode\t100644", "links\t1"):
        assert f"\t{line}\n" in text
    assert f"{number:10}" in text and "Indirect blocks:" in text and "segment [0000000000000000," in text
    assert f"size\t{13 * 30000}" in zdb(system, f"-dddd tank/home@one {number}")
    assert "\ttarget\tdir/text\n" in zdb(system, f"-dddd tank/home {fs.lookup('/link')}")


def test_a_directory_that_became_a_fat_zap(system: Machine) -> None:
    text = zdb(system, f"-dddd tank/home {system.spa.open('tank/home').lookup('/dir')}")
    assert "Fat ZAP stats:" in text and "ZAP entries: 81" in text
    assert len(re.findall(r"^\t\ta-name\S+ = \d+ \(type: Regular File\)$", text, re.M)) == 80


def test_dataset_by_number_and_ranges(system: Machine) -> None:
    number = next(each.number for each in system.spa.datasets() if each.name == "tank/vol")
    assert "Dataset tank/vol [ZVOL]" in zdb(system, f"-d tank/{number}")
    listed = zdb(system, "-dd tank/home 0:-1:d")
    assert set(re.findall(r"(\S+ \S+)$", listed, re.M)) >= {"ZFS directory"} and "plain file" not in listed


def test_block_sums_and_a_leak(system: Machine) -> None:
    text = zdb(system, "-bbcc tank")
    assert "Traversing all blocks to verify checksums and verify nothing leaked ...\n" in text
    assert "\tNo leaks (block sum matches space maps exactly)\n" in text
    count = int(re.search(r"bp count:\s+(\d+)", text)[1])
    rows = re.findall(r"^\s*(\d+)\t.*\t(.+)$", text, re.M)
    assert sum(int(number) for number, title in rows if title != "Total") == count


def test_both_copies_rotten_are_told_of(tmp_path: Path) -> None:
    own = Machine(tmp_path, "d0")
    disk = own.disks["d0"]
    own.spa.create("tank/home").write("/f", b"x" * 5000)
    own.spa.sync()
    row = next(line for line in zdb(own, "-dddddd tank/home 0").split("\n") if " L0 " in line)
    for address in re.findall(r" 0:([0-9a-f]+):[0-9a-f]+", row):
        disk.write((4 << 20) + int(address, 16), b"rotten")
    done = run("zdb -bcc tank", own)
    assert done.status == 2 and "zdb_blkptr_cb: Got error 52 reading <" in done.out and "leaked space: vdev 0" in done.out


def test_metaslabs(system: Machine) -> None:
    text = zdb(system, "-m tank")
    (vdev,) = system.spa.metaslabs.groups
    taken = sum(int(each, 16) for each in re.findall(r"smp_alloc = 0x([0-9a-f]+)", text))
    assert taken == int(re.search(r"bp allocated:\s+(\d+)", zdb(system, "-b tank"))[1])
    assert text.count("\tmetaslab ") == len(vdev.metaslabs)
    assert zdb(system, "-m tank 0 1 2").count("\tmetaslab ") == 2


def test_labels_of_a_disk_and_of_a_file(system: Machine, tmp_path: Path) -> None:
    disk = system.disks["c0t0d0"]
    text = zdb(system, "-l c0t0d0")
    assert text.startswith("-" * 36 + "\nLABEL 0\n") and text.endswith("    labels = 0 1 2 3 \n")
    assert f"    pool_guid: {system.spa.guid}\n" in text
    file = tmp_path / "d0"
    file.write_bytes(disk.read(0, SIZE))
    assert run(f"zdb -l {file}").out == text
    file.write_bytes(bytes(SIZE))
    assert run(f"zdb -l {file}").out == "".join(f"failed to unpack label {n}\n" for n in range(4))
    assert run(f"zdb -l {file}").status == 2


def test_exported_pools_are_found_in_a_folder(system: Machine, tmp_path: Path) -> None:
    for name, disk in system.disks.items():
        (tmp_path / name).write_bytes(disk.read(0, SIZE))
    assert run(f"zdb -e -p {tmp_path} -d tank").out == zdb(system, "-d tank")
    done = run(f"zdb -e -p {tmp_path} -d other")
    assert (done.err, done.status) == ("zdb: can't open 'other': No such file or directory\n", 1)


def test_a_block_by_its_address(system: Machine) -> None:
    rows = zdb(system, f"-ddddd tank/home {system.spa.open('tank/home').lookup('/dir/text')}")
    offset, lsize, psize = re.search(r"L0 0:([0-9a-f]+):[0-9a-f]+ ([0-9a-f]+)L/([0-9a-f]+)P", rows).groups()
    done = run(f"zdb -R tank 0:{offset}:{lsize}/{psize}:dr", system)
    assert done.out.startswith("another\0\0") and done.err == "Found vdev type: mirror\n"
    text = run(f"zdb -R tank 0:{offset}:{lsize}/{psize}:d", system).out
    assert "000000:  00726568746f6e61  0000000000000000  another........." in text
    assert "Invalid block specifier: 0:1:200  - offset must be" in run("zdb -R tank 0:1:200", system).out


@pytest.mark.parametrize("letter", sorted(REFUSED))
def test_what_is_refused_names_the_flag(letter: str, system: Machine) -> None:
    takes = f"{letter}:" in OPTIONS
    done = run(f"zdb -{letter} {'1 ' if takes else ''}tank", system)
    assert done.status == 1 and done.out == "" and done.err.startswith(f"zdb: -{letter}: ") and done.err.count("\n") == 1


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("nopool", "zdb: can't open 'nopool': No such file or directory"),
        ("-d tank/none", "failed to hold dataset 'tank/none'"),
        ("-d tank/home 99999", "zdb: dmu_object_info() failed, errno 2"), ("-j tank", "zdb: invalid option -- 'j'"),
        ("-p", "zdb: option requires an argument -- 'p'"), ("-p x tank", "-p option requires use of -e"),
        ("-t 1 tank", "incorrect txg specified: 1"), ("-e tank", "zdb: -e: say with -p"),
        ("-m tank 9", "zdb: bad vdev id: 9"),
        ("-m tank x", "zdb: bad number x"), ("-d tank 1:x", "zdb: Bad object or range: '1:x'"), ("-d", "Usage:"),
    ],
)  # fmt: skip
def test_bad_input_gets_one_clear_line(line: str, said: str, system: Machine) -> None:
    done = run(f"zdb {line}", system)
    assert done.status == 1 and done.err.startswith(said), done.err


def test_sizes_are_written_in_five_characters() -> None:
    numbers = (0, 1023, 1024, 1536, 10239, 16384, 1048576, 1234567, 10 << 40, (1 << 64) - 1)
    assert [nicenum(number) for number in numbers] == [
        "0", "1023", "1K", "1.50K", "10.0K", "16K", "1M", "1.18M", "10T", "16.0E"
    ]  # fmt: skip


def test_histograms_pointers_lists_and_times() -> None:
    rows = ["  1:      3 **", "  2:      0 ", f"  3:     80 {'*' * 40}"]
    assert list(histogram([0, 3, 0, 80, 0])) == [f"\t\t\t{row}" for row in rows]
    pointer = Blkptr((DVA(0, 0x1A00, 0x400), DVA(1, 0x200, 0x400)), 0x20000, 0x400, birth=10, fill=2, cksum=(1, 2, 3, 4))
    sums = ":".join(f"{word:016x}" for word in (1, 2, 3, 4))
    assert compact(pointer) == f"0:1a00:400 20000L/400P F=2 B=10/10 cksum={sums}"
    assert compact(pointer, every=True).startswith("0:1a00:400 1:200:400 20000L")
    assert compact(Blkptr(birth=3)) == "0:0:0 200L B=3"
    inner = {"f": NVList({"g": 2}), "h": [NVList({"i": 3})]}
    values = NVList({"a": 1, "b": "x", "c": True, "d": None, "e": [1, 2], **inner})
    assert list(nvlist_lines(values, 2)) == [
        "  a: 1", "  b: 'x'", "  c: true", "  d", "  e[0]: 1", "  e[1]: 2", "  f:", "      g: 2", "  h[0]:", "      i: 3"
    ]  # fmt: skip
    assert values.kind("e") == nvlist.UINT64_ARRAY and re.fullmatch(r"\w{3} \w{3} [ \d]\d [\d:]{8} \d{4}", ctime(0))
