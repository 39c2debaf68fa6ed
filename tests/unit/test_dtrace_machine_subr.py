"""The subroutines of DIF. Expected values are those of the language's documents, or worked out by hand from the C source."""

import ipaddress
import json
import posixpath
import random

import pytest

from smartos.dtrace.dif import BYREF, STR, Difo, DifType, Op, Subr, word2, word3
from smartos.dtrace.environment import ProbeInfo
from smartos.dtrace.vm.fault import Fault, FaultKind
from smartos.dtrace.vm.machine import Machine
from smartos.dtrace.vm.memory import Memory
from smartos.dtrace.vm.subr_json import Finder, elements
from smartos.dtrace.vm.subr_net import colons
from smartos.dtrace.vm.variables import Limits

PROBE = ProbeInfo(9, "sdt", "m", "f", "n")
M64 = (1 << 64) - 1
TEXT = {Subr.STRTOK, Subr.SUBSTR, Subr.STRJOIN, Subr.LLTOSTR, Subr.TOUPPER, Subr.TOLOWER, Subr.BASENAME, Subr.DIRNAME,
        Subr.CLEANPATH, Subr.JSON, Subr.INET_NTOA, Subr.INET_NTOA6, Subr.INET_NTOP, Subr.COPYINSTR}  # fmt: skip


class Calls:
    def __init__(self, context=None, **limits):
        self.machine = Machine(limits=Limits(**limits))
        self.frame = self.machine.frame(PROBE, (), context or {})

    def word(self, value):
        return self.machine.memory.map(value + b"\0") if isinstance(value, bytes) else value & M64

    def __call__(self, subr, *args):
        code, ints = [], []
        for value in args:
            ints.append(self.word(value))
            code += [word2(Op.SETX, len(ints) - 1, 1), word3(Op.PUSHTV, 0, 0, 1)]
        kind = DifType(STR, 1, BYREF, 0) if subr in TEXT else DifType()
        difo = Difo([*code, word2(Op.CALL, subr, 1), word3(Op.RET, 0, 0, 1)], ints, type=kind)
        register = self.machine.run(difo, self.frame)
        if subr in TEXT:
            return self.machine.fetch(difo, register, self.frame) if register else None
        return register - (1 << 64) if register >> 63 else register


def call(subr, *args):
    return Calls()(subr, *args)


def fault(subr, *args, **limits):
    with pytest.raises(Fault) as caught:
        Calls(**limits)(subr, *args)
    return caught.value.kind


def test_lengths_and_places():
    assert [call(Subr.STRLEN, text) for text in (b"", b"abc", b"x" * 300)] == [0, 3, 256]
    calls = Calls()
    text = calls.word(b"/usr/bin/dtrace")
    assert calls(Subr.STRCHR, text, ord("/") + 256) == calls.word(text) - (1 << 64)
    places = [(Subr.STRRCHR, ord("/"), 8), (Subr.STRCHR, 0, 15), (Subr.STRSTR, b"bin", 5), (Subr.STRSTR, b"", 0)]
    assert [calls(subr, text, arg) - (text - (1 << 64)) for subr, arg, _ in places] == [place for *_, place in places]
    assert [calls(Subr.STRCHR, text, ord("z")), calls(Subr.STRSTR, text, b"binx")] == [0, 0]


def test_index_and_rindex_are_perls():
    text = b"Barack Hussein Obama II"
    assert [call(Subr.INDEX, text, b"Obama"), call(Subr.INDEX, text, b"a", 2), call(Subr.INDEX, text, b"a", -5)] == [15, 3, 1]
    assert [call(Subr.RINDEX, text, b"a"), call(Subr.RINDEX, text, b"a", 18), call(Subr.RINDEX, text, b"B", -1)] == [19, 17, -1]
    assert [call(Subr.INDEX, text, b"", 99), call(Subr.RINDEX, text, b"", 99), call(Subr.RINDEX, text, b"", -1)] == [23, 23, 0]
    assert [call(Subr.INDEX, b"", b"", 4), call(Subr.INDEX, text, b"x", 99), call(Subr.INDEX, b"ab", b"ba")] == [0, -1, -1]


def test_index_agrees_with_python_where_both_mean_the_same():
    chance = random.Random(3)
    for _ in range(300):
        text = bytes(chance.choice(b"ab") for _ in range(chance.randrange(1, 9)))
        part = bytes(chance.choice(b"ab") for _ in range(chance.randrange(1, 4)))
        at = chance.randrange(0, 10)
        assert call(Subr.INDEX, text, part, at) == text.find(part, at)
        assert call(Subr.RINDEX, text, part, at) == text.rfind(part, 0, at + len(part))


def test_substr():
    text = b"foobarbaz"
    cases = {(3,): b"barbaz", (3, 3): b"bar", (300,): b"", (-3,): b"baz", (-12, 5): b"fo", (0, -3): b"foobar", (-4, -2): b"rb",
             (-20, 3): b"", (2, 0): b"", (2, -20): b""}  # fmt: skip
    assert {args: call(Subr.SUBSTR, text, *args) for args in cases} == cases


def test_strtok_goes_on_where_it_stopped_until_the_firing_is_over():
    calls = Calls()
    assert [calls(Subr.STRTOK, b"::1:2::", b":"), calls(Subr.STRTOK, 0, b":"), calls(Subr.STRTOK, 0, b":")] == [b"1", b"2", None]
    assert calls(Subr.STRTOK, b"a b,c", b" ") == b"a"
    calls.frame.begin(2)
    assert calls(Subr.STRTOK, 0, b",") == b" b"
    calls.frame = calls.machine.frame(PROBE)
    assert calls(Subr.STRTOK, 0, b",") is None
    assert call(Subr.STRTOK, b"abc", b"") == b"abc"


def test_joining_takes_only_what_it_needs_and_faults_when_it_does_not_fit():
    calls = Calls()
    before = calls.frame.scratch
    assert calls(Subr.STRJOIN, b"foo", b"bar") == b"foobar"
    assert calls.frame.scratch - before == 7
    assert fault(Subr.STRJOIN, b"a" * 200, b"b" * 56) is FaultKind.NOSCRATCH
    assert call(Subr.STRJOIN, b"a" * 200, b"b" * 54) == b"a" * 200 + b"b" * 54


def test_case_is_ascii_only():
    assert [call(Subr.TOUPPER, "aé z9".encode()), call(Subr.TOLOWER, b"AZ@[")] == ["Aé Z9".encode(), b"az@["]


def test_numbers_to_text_and_back():
    cases = {(0,): b"0", (-1,): b"-1", (1 << 63,): b"-9223372036854775808", (31, 16): b"0x1f", (0, 16): b"0x0", (8, 8): b"010",
             (-1, 2): b"1" * 64, (35, 36): b"z", (0, 8): b"0", (0, 2): b"0", (-1, 16): b"0x" + b"f" * 16}  # fmt: skip
    assert {args: call(Subr.LLTOSTR, *args) for args in cases} == cases
    back = {(b"0x1Fg", 16): 31, (b" \t-12ab",): -12, (b"+7",): 7, (b"0x", 16): 0, (b"z", 36): 35, (b"018", 8): 1, (b"",): 0, (b"- 1",): 0,
            (b"99999999999999999999",): 7766279631452241919, (b"0x10",): 0}  # fmt: skip
    assert {args: call(Subr.STRTOLL, *args) for args in back} == back
    for base in (1, 0, 37, -2):
        assert fault(Subr.LLTOSTR, 1, base) is FaultKind.ILLOP
        assert fault(Subr.STRTOLL, b"1", base) is FaultKind.ILLOP


def test_basename_and_dirname():
    for path in ("/foo/bar/baz", "/foo", "foo", "/", "///", "", "a/b//", "//a//b", "/foo/", ".", ".."):
        bare = path.rstrip("/") or path[:1]
        directory = posixpath.dirname(bare).rstrip("/") or "/" if "/" in bare else "."
        assert call(Subr.BASENAME, path.encode()) == (posixpath.basename(bare) or bare or ".").encode(), path
        assert call(Subr.DIRNAME, path.encode()) == directory.encode(), path


def test_cleanpath():
    cases = {b"/foo/./bar": b"/foo/bar", b"/foo//bar/../baz": b"/foo/baz", b"/foo/...": b"/foo/...", b"/a/..": b"/", b"/a/b/..": b"/a/",
             b"/foo/.": b"/foo/.", b"a/..": b"a", b"a/../b": b"/b", b"": b"", b"/.a/..b/": b"/.a/..b/"}  # fmt: skip
    assert {path: call(Subr.CLEANPATH, path) for path in cases} == cases
    assert call(Subr.CLEANPATH, b"x" * 300) == b"x" * 251  # it stops five short of strsize


def test_internet_addresses():
    calls = Calls()
    four = calls.machine.memory.map(bytes([192, 168, 0, 1]))
    assert [calls(Subr.INET_NTOA, four), calls(Subr.INET_NTOP, 2, four)] == [b"192.168.0.1"] * 2
    assert fault(Subr.INET_NTOP, 3, 0) is FaultKind.ILLOP
    assert fault(Subr.INET_NTOA, 0) is FaultKind.BADADDR
    six = calls.machine.memory.map(ipaddress.ip_address("::ffff:10.0.0.1").packed)
    assert [calls(Subr.INET_NTOA6, six), calls(Subr.INET_NTOP, 26, six)] == [b"10.0.0.1", b"::ffff:10.0.0.1"]


@pytest.mark.parametrize("text", ["fe80::214:4fff:fe0b:76c8", "::1", "::", "1:2:3:4:5:6:7:8", "1::8", "2001:db8::", "1:0:0:2::3", "1:2:3:4:5:6:7:0"])
def test_ipv6_addresses_read_back(text):
    assert ipaddress.ip_address(colons(ipaddress.ip_address(text).packed, False)) == ipaddress.ip_address(text)
    assert colons(ipaddress.ip_address(text).packed, False) == text.replace("::2:3", "2::3")


def test_byte_order():
    assert [call(Subr.HTONS, 0x1234), call(Subr.NTOHL, 0x12345678), call(Subr.HTONLL, 1)] == [0x3412, 0x78563412, 1 << 56]
    assert [call(Subr.GETMAJOR, 3 << 32 | 5), call(Subr.GETMINOR, 3 << 32 | 5)] == [3, 5]


def test_json_finds_what_python_finds():
    chance = random.Random(11)

    def value(depth):
        kind = chance.randrange(6 if depth else 4)
        if kind == 4:
            return [value(depth - 1) for _ in range(chance.randrange(4))]
        if kind == 5:
            return {chance.choice("abcd"): value(depth - 1) for _ in range(chance.randrange(4))}
        return [chance.randrange(-99, 99), chance.choice(("", "x y", "]}", 'q"\\')), True, None][kind]

    found = 0
    for _ in range(400):
        whole = {"k": value(3)} if chance.random() < 0.8 else [value(2)]
        text, place, path = json.dumps(whole), whole, ""
        while isinstance(place, dict | list) and place and chance.random() < 0.9:
            key = chance.choice(list(place) if isinstance(place, dict) else range(len(place)))
            path += f"[{key}]" if isinstance(place, list) else f".{key}"
            place = place[key]
        got = Finder(elements(path.removeprefix(".").encode())).find(text.encode())
        if not path:
            continue
        found += 1
        assert got is not None, (text, path)
        assert (f'"{got.decode()}"' if isinstance(place, str) else got.decode()) == json.dumps(place)
    assert found > 300


def test_json_gives_null_for_what_is_not_there_or_wrong():
    cases = [(b'{"a":1}', b"b"), (b'{"a":1}', b"a.b"), (b'{"a":1', b"a"), (b"[1,2]", b"[2]"), (b"{a:1}", b"a"), (b'{"a":0x1 }', b"a"),
             (b'{"a":tru }', b"a"), (b'{"a":"\\u12g4"}', b"a"), (b"7", b"a"), (b"", b""), (b'{"a":[1}', b"b")]  # fmt: skip
    assert [call(Subr.JSON, *args) for args in cases] == [None] * len(cases)
    assert call(Subr.JSON, b'{"a": {"b": [1, {"c": "\\u1234"}]}}', b"a.b[1].c") == b"\\u1234"


def test_moving_bytes_between_kernel_and_process():
    process = Memory()
    user = process.map(b"hello\0" + bytes(20), user=True)
    writable = process.map(bytearray(16), user=True)
    calls = Calls({"memory": process})
    copied = calls(Subr.COPYIN, user, 5) & M64
    assert calls.machine.memory.read(copied, 5) == b"hello"
    assert calls(Subr.COPYINSTR, user) == b"hello"
    assert calls(Subr.COPYINSTR, user, 2) == b"he"
    room = calls(Subr.ALLOCA, 8) & M64
    calls(Subr.COPYINTO, user, 5, room)
    assert calls.machine.memory.string(room, 8) == b"hello"
    calls(Subr.BCOPY, copied, room, 2)
    calls(Subr.COPYOUT, copied, writable, 5)
    assert process.read(writable, 5, True) == bytes(5)  # not without the right to destroy
    calls.machine.destructive = True
    calls(Subr.COPYOUT, copied, writable, 5)
    assert process.read(writable, 5, True) == b"hello"
    calls(Subr.COPYOUTSTR, calls.machine.memory.intern(b"x"), writable, 5)
    assert process.read(writable, 5, True) == b"x\0llo"
    for subr, args in ((Subr.COPYIN, (8, 4)), (Subr.COPYIN, (copied, 4)), (Subr.BCOPY, (copied, copied + (1 << 20), 8)), (Subr.COPYINSTR, (0,))):
        with pytest.raises(Fault) as caught:
            calls(subr, *args)
        assert caught.value.kind is FaultKind.BADADDR
    assert fault(Subr.ALLOCA, 99, scratch=64) is FaultKind.NOSCRATCH
    assert fault(Subr.ALLOCA, -1) is FaultKind.NOSCRATCH


def test_locks_and_messages_are_read_from_their_words():
    calls, thread = Calls({"curthread": 0x1000}), 0x1000
    memory = calls.machine.memory

    def word(value):
        return memory.map(value.to_bytes(8, "little"))

    held, free, spin = word(thread | 1), word(0), word(0x01FF)
    assert [calls(Subr.MUTEX_OWNED, lock) for lock in (held, free, spin)] == [1, 0, 1]
    assert [calls(Subr.MUTEX_OWNER, lock) for lock in (held, free, spin)] == [thread, 0, 0]
    assert [calls(Subr.MUTEX_TYPE_SPIN, lock) for lock in (held, spin)] == [0, 1]
    readers, writer = word(3 << 3), word(thread | 4)
    assert [[calls(subr, lock) for lock in (readers, writer)] for subr in (Subr.RW_READ_HELD, Subr.RW_WRITE_HELD, Subr.RW_ISWRITER)] == [
        [1, 0], [0, 1], [0, 1]]  # fmt: skip

    def block(start, end, kind, rest=0):
        data = memory.map(bytes(0x19) + bytes([kind]) + bytes(32))
        return memory.map(b"".join(n.to_bytes(8, "little") for n in (0, 0, rest, start, end, data)))

    message = block(100, 110, 0, block(0, 7, 1))
    assert [calls(Subr.MSGSIZE, message), calls(Subr.MSGDSIZE, message)] == [17, 10]
    assert fault(Subr.MSGSIZE, 8) is FaultKind.BADADDR


def test_who_comes_from_whom_and_chance_from_its_seed():
    calls = Calls({"pid": 9, "ppid": 4, "ancestors": (3, 1)})
    assert [calls(Subr.PROGENYOF, pid) for pid in (9, 4, 1, 0, 7)] == [1, 1, 1, 1, 0]
    one, two = Machine(seed=5), Machine(seed=5)
    difo = Difo([word2(Op.CALL, Subr.RAND, 1), word3(Op.RET, 0, 0, 1)])
    drawn = [[machine.run(difo, machine.frame(PROBE)) for _ in range(50)] for machine in (one, two)]
    assert drawn[0] == drawn[1]
    assert len(set(drawn[0])) > 45
    assert all(0 <= value < 1771875 for value in drawn[0])
