"""What printf(), trace(), print() and stack() write; options; what is said of faults and drops."""

from datetime import UTC, timedelta, timezone
from random import Random
from types import SimpleNamespace

import pytest

from smartos.dtrace import ctf
from smartos.dtrace.consumer import messages, names, printtype
from smartos.dtrace.consumer.aggstore import Element
from smartos.dtrace.consumer.consume import Consumer
from smartos.dtrace.consumer.names import Names, Symbol
from smartos.dtrace.consumer.printf import parse, validate, validate_keys
from smartos.dtrace.consumer.render import Abort, Sheet, render
from smartos.dtrace.consumer.traced import traced
from smartos.dtrace.consumer.zones import time_zone
from smartos.dtrace.dif import Difo
from smartos.dtrace.environment import Environment, ProbeInfo
from smartos.dtrace.errors import DError, OptionError
from smartos.dtrace.ident import Ident, Kind, Signature
from smartos.dtrace.kernel import dof
from smartos.dtrace.kernel.aggregate import Aggregation
from smartos.dtrace.kernel.buffer import Drops, Ecb, Entry, FaultData, Record, Status
from smartos.dtrace.kernel.cells import Cell
from smartos.dtrace.options import Options, stability
from smartos.dtrace.program import Act, Action, EcbDesc, Lib, Program, Statement
from smartos.dtrace.tree import ProbeDesc

ENV = Environment()
C = ctf.C
STRING = ctf.STRING


def record(size: int, action: Act = Act.DIFEXPR, **more: object) -> Record:
    return Record(action, size, 0, 1, Action(action, **more))  # type: ignore[arg-type]


def printf(fmt: str, *args: tuple[str | ctf.CType, object], sheet: Sheet | None = None) -> str:
    kinds = [ENV.types.lookup(kind) if isinstance(kind, str) else kind for kind, _ in args]
    form = validate(parse(fmt), kinds, "printf", ENV)
    pairs = [(record(256 if kind is STRING else ctf.sizeof(kind)), value) for kind, (_, value) in zip(kinds, args, strict=True)]
    pairs = [(r, v & (1 << 8 * r.size) - 1 if isinstance(v, int) else v) for r, v in pairs]
    return render(form, pairs, sheet or Sheet())[0]


@pytest.mark.parametrize(
    "fmt, kind, value, text",
    [
        ("%d", "short", -2, "-2"), ("%u", "short", -2, "65534"), ("%x", "int", -1, "ffffffff"), ("%x", "char", -1, "ff"),
        ("%X", "long", -1, "F" * 16), ("%i", "unsigned short", 0xFFFF, "-1"), ("%d", "unsigned short", 0xFFFF, "65535"),
        ("%d", "unsigned long", (1 << 64) - 1, str((1 << 64) - 1)), ("%hd", "short", -7, "-7"), ("%llx", "int64_t", 10, "a"),
        ("%#x|%#o".split("|")[0], "int", 0, "0"), ("%#x", "int", 255, "0xff"), ("%#o", "int", 8, "010"),
        ("%08x", "int", 255, "000000ff"), ("%-5d|", "int", 42, "42   |"), ("%+d", "int", 3, "+3"), ("% d", "int", 3, " 3"),
        ("%+u", "int", 3, "3"), ("%.3d", "int", 7, "007"), ("%05.3d", "int", 7, "  007"), ("%.0d", "int", 0, "0"),
        ("%?p", "uintptr_t", 0xAB, f"{'ab':>16}"), ("%c", "char", 65, "A"), ("%c", "int", 0x141, "A"), ("%3c|", "int", 66, "  B|"),
        ("%C", "char", 10, "\\n"), ("%C", "int", 0, "\\0"), ("%o", "int", -1, "37777777777"), ("%a", "uintptr_t", 16, "0x10"),
        ("%%%d%%", "int", 1, "%1%"), ("%'d", "int", 1234567, "1234567"), ("%P", "uint16_t", 22, "ssh"), ("%P", "uint16_t", 6, "6"),
        ("%Y", "uint64_t", 86400 * 10**9, "1970 Jan  2 00:00:00"), ("%T", "uint64_t", 0, "Thu, 01 Jan 1970 00:00:00 UTC"),
        ("%5.1f", "double", 0x4002000000000000, "  2.2"), ("%e", "float", 0x3FC00000, "1.500000e+00"),
    ],
)  # fmt: skip
def test_a_number_is_printed_in_the_width_of_its_type(fmt, kind, value, text):
    if kind == "uint16_t" or kind == "uintptr_t":
        assert ENV.types.lookup(kind) is not None
    assert printf(fmt, (kind, value)) == text


@pytest.mark.parametrize(
    "fmt, value, text",
    [("%s", b"abc", "abc"), ("%5s|", b"abc", "  abc|"), ("%-5s|", b"abc", "abc  |"), ("%.2s", b"abc", "ab"), ("%.0s", b"abc", "abc"),
     ("%S", b'a"\t\x80', 'a\\"\\t\\200\\0'), ("%I", b"127.0.0.1", "localhost"), ("%I", b"10.0.0.1", "10.0.0.1")],
)  # fmt: skip
def test_a_string_is_printed(fmt, value, text):
    assert printf(fmt, (STRING, value)) == text


def test_stars_take_arguments_width_before_precision():
    assert printf("%*.*s|", (C["int"], 6), (C["int"], 2), (STRING, b"hello")) == "    he|"
    assert printf("%*d|", (C["int"], -4), (C["int"], 1)) == "1   |"


@pytest.mark.parametrize(
    "fmt, kinds, tag",
    [
        ("%q", [], "D_SYNTAX"), ("%", [], "D_SYNTAX"), ("%1$d", [], "D_SYNTAX"), ("%-%", [], "D_SYNTAX"), ("%**d", [], "D_SYNTAX"),
        ("%..d", [], "D_SYNTAX"), ("", [], "D_PRINTF_FMT_EMPTY"), ("%d", [], "D_PRINTF_ARG_PROTO"),
        ("hi", ["int"], "D_PRINTF_ARG_EXTRA"), ("%s", ["int"], "D_PRINTF_ARG_TYPE"), ("%*d", [], "D_PRINTF_DYN_PROTO"),
        ("%*d", ["string", "int"], "D_PRINTF_DYN_TYPE"), ("%@d", [], "D_PRINTF_AGG_CONV"), ("%hd", ["int"], "D_PRINTF_ARG_TYPE"),
        ("%k", ["int"], "D_PRINTF_ARG_TYPE"), ("%d", ["string"], "D_PRINTF_ARG_TYPE"), ("%Y", ["int"], "D_PRINTF_ARG_TYPE"),
        ("%c", ["long"], "D_PRINTF_ARG_TYPE"), ("%lx", ["int"], "D_PRINTF_ARG_TYPE"), ("%A", ["int"], "D_PRINTF_ARG_TYPE"),
    ],
)  # fmt: skip
def test_a_format_that_does_not_fit_is_an_error(fmt, kinds, tag):
    with pytest.raises(DError) as caught:
        validate(parse(fmt), [ENV.types.lookup(kind) for kind in kinds], "printf", ENV)
    assert caught.value.tag == tag


def test_what_a_wrong_type_is_told():
    with pytest.raises(DError) as caught:
        validate(parse("%d %s"), [C["int"], C["long"]], "printf", ENV)
    assert caught.value.message == (
        "printf( ) argument #3 is incompatible with conversion #2 prototype:\n\tconversion: %s\n"
        "\t prototype: char [] or string (or use stringof)\n\t  argument: long"
    )


def test_keys_of_two_aggregations_must_agree():
    def agg(name: str, *args: ctf.CType) -> Ident:
        return Ident(name, Kind.AGG, signature=Signature(list(args)))

    validate_keys(agg("a", C["int"], STRING), agg("b", C["long"], ENV.types.pointer(C["char"])))
    for other, tag in ((agg("b"), "D_PRINTA_AGGKEY"), (agg("b", STRING), "D_PRINTA_AGGPROTO")):
        with pytest.raises(DError) as caught:
            validate_keys(agg("a", C["int"]), other)
        assert caught.value.tag == tag


def test_a_format_of_printa_takes_values_in_turn_and_the_last_again():
    keys = [record(4)]
    one, two = (Element(Aggregation(n, "x", Act.SUM, 0, keys), (1,), [n * 10]) for n in (1, 2))
    two.normal = 4
    form = validate(parse("%d: %@d %@5d %@x\n"), [C["int"]], "printa", ENV, aggregation=Act.SUM)
    assert render(form, [(keys[0], 1)], Sheet(), [one, two])[0] == "1: 10     5 5\n"
    quantized = Element(Aggregation(3, "q", Act.QUANTIZE, 0, keys), (1,), [0] * 127)
    assert "Distribution" in render(form, [(keys[0], 1)], Sheet(), [quantized])[0]


def test_a_record_that_is_missing_ends_the_printing():
    with pytest.raises(Abort, match="does not match statement"):
        render(parse("%d"), [], Sheet())


@pytest.mark.parametrize(
    "size, value, loud, quiet",
    [
        (8, (1 << 64) - 1, f" {-1:>16}", "-1"), (4, 0xFFFFFFFE, f" {-2:>8}", "-2"), (2, 0xFFFF, " 65535", "65535"),
        (1, 0xFF, " 255", "255"), (16, b"hello", f"  {'hello':<33}", "hello"), (5, b"hello", f"  {'hello':<33}", None),
    ],
)  # fmt: skip
def test_trace_goes_by_size_alone(size, value, loud, quiet):
    assert traced(Cell(value, size), False, False) == loud
    if quiet is not None:
        assert traced(Cell(value, size), True, False) == quiet


def test_bytes_that_are_no_text_are_dumped():
    lines = traced(Cell(b"a\0b" + bytes(14) + b"~", 18), False, False).splitlines()
    assert lines[1].split() == [*"0123456789abcdef", "0123456789abcdef"]
    assert lines[2] == f"{'':5}    0: 61 00 62{' 00' * 13}  a.b{'.' * 13}"
    assert lines[3] == f"{'':5}   10: 00 7e{'   ' * 14}  .~"
    assert traced(Cell(b"text", 16), False, True).startswith("\n")


def test_print_lays_a_struct_open():
    inner = ctf.Struct("", [ctf.Member("x", C["short"], 0)], 2)
    kind = ctf.Struct("it", [
        ctf.Member("a", C["int"], 0), ctf.Member("s", ctf.Array(C["char"], 4), 32), ctf.Member("i", inner, 64),
        ctf.Member("f", ctf.Integer("int", 4, bits=3), 82, True), ctf.Member("p", ctf.Pointer(C["char"]), 128),
        ctf.Member("e", ctf.Enum("color", {"red": 0, "green": 1}), 192),
    ], 28)  # fmt: skip
    data = (-1 & 0xFFFFFFFF).to_bytes(4, "little") + b"ab\0\0" + (7).to_bytes(2, "little") + bytes([5 << 2]) + bytes(5)
    data += (0x10).to_bytes(8, "little") + (1).to_bytes(4, "little")
    assert printtype.printed(kind, data) == (
        "struct it {\n    int a = 0xffffffff\n    char [4] s = [ \"ab\" ]\n    struct i = {\n        short x = 0x7\n    }\n"
        "    int f :3 = 0x5\n    char *p = 0x10\n    enum color e = green\n}"
    )


def test_print_of_arrays_and_characters():
    assert printtype.printed(ctf.Array(C["int"], 2), bytes([1, 0, 0, 0]) * 2) == "int [2] [ 0x1, 0x1 ]\n"
    assert printtype.printed(STRING, b"hi") == 'string "hi"\n'
    assert printtype.printed(C["char"], b"\xff") == "char '\\37777777777'\n"
    pair = ctf.Struct("p", [ctf.Member("n", C["char"], 0)], 1)
    assert printtype.printed(ctf.Array(pair, 2), b"a\0") == (
        "struct p [2] [ \n    struct p {\n        char n = 'a'\n    }, \n    struct p {\n        char n = '\\0'\n    }\n]\n"
    )


class Some(Names):
    def symbol(self, address: int) -> Symbol | None:
        return Symbol("genunix", "kmem_alloc", 0x1000) if 0x1000 <= address < 0x1100 else None

    def module(self, address: int) -> tuple[str, int] | None:
        return ("genunix", 0x1000) if 0x1000 <= address < 0x9000 else None


def test_a_stack_has_a_frame_a_line_until_an_empty_one():
    text = names.stack(Cell((0x1000, 0x1010, 0x2000, 0xF0000, 0, 5), 48), Act.STACK, Some(), 3)
    assert text == "\n   genunix`kmem_alloc\n   genunix`kmem_alloc+0x10\n   genunix`0x2000\n   0xf0000\n"
    assert names.stack(Cell((100, "libc.so.1`read", 0x10), 24), Act.USTACK, Names(), 0) == "\nlibc.so.1`read\n0x10\n"


def test_symbols_as_keys_are_brought_to_their_beginning():
    assert names.settled(0x1010, Act.SYM, Some()) == 0x1000
    assert names.address(Cell(0x1010, 8), Act.SYM, Some()) == "genunix`kmem_alloc"
    assert names.address(Cell(0x5000, 8), Act.MOD, Some()) == "genunix"
    assert names.address(Cell((7, 0x5000), 16), Act.UADDR, Some()) == "0x5000"


@pytest.mark.parametrize(
    "name, value, number",
    [
        ("bufsize", "4k", 4096), ("bufsize", "0x10", 16), ("switchrate", "10hz", 10**8), ("switchrate", "2s", 2 * 10**9),
        ("switchrate", "7", 7), ("quiet", None, 0), ("quiet", "yes", 1), ("bufpolicy", "ring", 0), ("cleanrate", "1min", 60 * 10**9),
        ("aggsortpos", "010", 8), ("aggsize", "2T", 2 << 40),
    ],
)  # fmt: skip
def test_an_option_is_read(name, value, number):
    options = Options.command()
    options.set(name, value)
    assert options[name] == number


@pytest.mark.parametrize(
    "name, value, more, says",
    [
        ("nonsense", None, {}, "Invalid option name"), ("bufsize", "4q", {}, "Invalid value"), ("quiet", "-1", {}, "Invalid value"),
        ("switchrate", "3 hz", {}, "Invalid value"), ("bufpolicy", "loop", {}, "Invalid value"), ("bufpolicy", None, {}, "Invalid value"),
        ("bufsize", "1m", {"active": True}, "Operation illegal when tracing is active"), ("zone", "no", {}, "Invalid value"),
        ("define", "A", {"program": True}, "cannot be used from within a D program"), ("errtags", "x", {}, "Invalid value"),
        ("version", "9.9", {}, "not supported"), ("version", "x", {}, "not properly formatted"), ("tree", "0", {}, "Invalid value"),
        ("amin", "Sturdy", {}, "Invalid value"), ("bufsize", "999999999999g", {}, "Invalid value"),
    ],
)  # fmt: skip
def test_a_wrong_option_is_refused(name, value, more, says):
    with pytest.raises(OptionError, match=says):
        Options.command().set(name, value, **more)


def test_an_option_is_unset_and_told_to_the_compiler():
    options, env = Options.command(), Environment()
    for name, value in (("quiet", "no"), ("temporal", ""), ("defaultargs", None), ("amin", "evolving"), ("version", "1.2")):
        options.set(name, value)
    options.settle(env)
    assert "quiet" not in options and "temporal" not in options
    assert env.defaultargs and env.amin == stability("Evolving/Standard/Common") and env.version == (1, 2, 0)


PROBE = ProbeInfo(7, "fbt", "genunix", "open", "entry")


def ecb(probe: ProbeInfo, *acts: tuple[Record, Statement | None], epid: int = 1, **more: object) -> Ecb:
    made = Ecb(epid, probe, EcbDesc(ProbeDesc()), [r for r, _ in acts], **more)  # type: ignore[arg-type]
    for r, statement in acts:
        r.act.statement = statement
    return made


class Kernel:
    """A kernel that has what a test gives it."""

    def __init__(self, *entries: Entry, drops: Drops | None = None, aggregations: dict | None = None) -> None:
        self.options, self.entries, self.lost = Options.command(), list(entries), drops or Drops()
        self.aggregations = aggregations or {}
        ecbs = {e.ecb.epid: e.ecb for e in entries}
        self.plans = [SimpleNamespace(ecb=ecbs[n]) for n in sorted(ecbs)]

    def drain(self) -> list[Entry]:
        found, self.entries = self.entries, []
        return found

    def take_aggregations(self) -> dict:
        found, self.aggregations = self.aggregations, {}
        return found

    def drops(self) -> Drops:
        found, self.lost = self.lost, Drops()
        return found


def consumed(kernel: Kernel, *options: str) -> tuple[str, str, Consumer]:
    kernel.options.update(dict.fromkeys(options, 0))
    consumer = Consumer(kernel)
    consumer.finish()
    return consumer.out.getvalue(), consumer.err.getvalue(), consumer


def test_entries_have_a_heading_once_and_go_by_time():
    clause = ecb(PROBE, (record(4), None))
    out, _, _ = consumed(Kernel(Entry(clause, 1, 20, (2,)), Entry(clause, 0, 10, (1,))))
    assert out == (
        "CPU     ID                    FUNCTION:NAME\n"
        "  0      7                       open:entry         1\n"
        "  1      7                       open:entry         2\n\n"
    )
    assert consumed(Kernel(Entry(clause, 1, 20, (2,)), Entry(clause, 0, 10, (1,))), "quiet")[0] == "12\n"


def test_without_temporal_begin_comes_first_and_end_last():
    begin, end = (ProbeInfo(n, "dtrace", "", "", name) for n, name in ((1, "BEGIN"), (2, "END")))
    kernel = Kernel(
        Entry(ecb(PROBE, (record(1), None), epid=2), 0, 1, (5,)), Entry(ecb(begin, (record(1), None)), 1, 2, (6,)),
        Entry(ecb(end, (record(1), None), epid=3), 1, 3, (7,)),
    )  # fmt: skip
    del kernel.options["temporal"]
    assert consumed(kernel, "quiet")[0] == "657\n"


def test_flow_is_indented():
    back = ProbeInfo(8, "fbt", "genunix", "open", "return")
    inner = ProbeInfo(9, "sdt", "zfs", "arc", "hit")
    clauses = [ecb(p, (record(1), None), epid=n) for n, p in enumerate((PROBE, inner, back), 1)]
    out, _, _ = consumed(Kernel(*(Entry(c, 0, n, (n,)) for n, c in enumerate(clauses))), "flowindent")
    assert [line.rstrip() for line in out.splitlines()[:4]] == [
        "CPU FUNCTION", f"  0 {' -> open':<41}    0", f"  0 {'  | arc:hit':<41}    1", f"  0 {' <- open':<41}    2",
    ]  # fmt: skip


def test_faults_and_drops_are_told_on_standard_error():
    clause = ecb(PROBE, (record(4), None))
    error = Ecb(2, ProbeInfo(3, "dtrace", "", "", "ERROR"), EcbDesc(ProbeDesc()), error=True)
    fault = Entry(error, 0, 1, (), FaultData(1, 2, 12, 1, 0))
    kernel = Kernel(Entry(clause, 0, 0, (1,)), fault, drops=Drops(principal={1: 2}, aggregation={0: 1}, dynamic=1, double_errors=3))
    assert consumed(kernel, "quiet")[1].splitlines() == [
        "dtrace: 1 dynamic variable drop", "dtrace: 3 errors in ERROR probe enabling", "dtrace: 1 aggregation drop on CPU 0",
        "dtrace: error on enabled probe ID 1 (ID 7: fbt:genunix:open:entry): invalid address (0x0) in action #2 at DIF offset 12",
        "dtrace: 2 drops on CPU 1",
    ]  # fmt: skip
    assert messages.fault(clause, FaultData(1, 0, -1, 4, 0)).endswith(": divide-by-zero in predicate\n")
    assert messages.cpu_drop(0, 1, False, True) == "[DTRACEDROP_PRINCIPAL] 1 drop on CPU 0\n"


def library(what: Lib, *values: tuple[int, object]) -> list[tuple[Record, Statement | None]]:
    return [(record(size, Act.LIBACT, arg=what), None) for size, _ in values]


def test_library_actions_act_on_what_the_consumer_has():
    aggregations = {1: Aggregation(1, "a", Act.SUM, 0, [record(4)], {(n,): [n * 10] for n in range(1, 4)})}
    printa = Statement(EcbDesc(ProbeDesc()))
    clause = ecb(PROBE, *library(Lib.NORMALIZE, (4, 1), (4, 10)), *library(Lib.TRUNC, (4, 1), (8, 2)),
                 (record(4, Act.PRINTA), printa), *library(Lib.SETOPT, (64, b""), (4, 0)), *library(Lib.SETOPT, (64, b""), (64, b"")))  # fmt: skip
    values = (1, 10, 1, 2, 1, b"quiet", 0, b"switchrate", b"many")
    out, err, consumer = consumed(Kernel(Entry(clause, 0, 0, values), aggregations=aggregations))
    assert out.splitlines()[1].strip() == "0      7                       open:entry"
    assert [line.split() for line in out.splitlines()[2:4]] == [["2", "2"], ["3", "3"]]
    assert len(out.splitlines()) == 5, "quiet from setopt() on; printed aggregations are not printed again"
    assert err == ("dtrace: error on enabled probe ID 1 (ID 7: fbt:genunix:open:entry): couldn't set option \"switchrate\" to "
                   '"many": Invalid value for specified option\n\n')  # fmt: skip


def test_the_consumer_does_each_thing_at_its_own_rate():
    kernel, did = Kernel(), []
    kernel.clock, kernel.exiting = SimpleNamespace(now=1000), False
    kernel.status = lambda: (did.append("status"), Status(exiting=kernel.exiting))[1]
    kernel.drain = lambda: did.append("switch") or []
    kernel.take_aggregations = lambda: did.append("snapshot") or {}
    kernel.stop = lambda: did.append("stop")
    kernel.options.update(statusrate=50, aggrate=20, switchrate=30)
    consumer = Consumer(kernel)
    consumer.wake()
    assert did == ["status", "snapshot", "switch"], "it begins with everything"
    moments = []
    for _ in range(5):
        did.clear()
        kernel.clock.now = consumer.due()
        consumer.wake()
        moments.append((kernel.clock.now - 1000, *did))
    assert moments == [(20, "snapshot"), (30, "switch"), (40, "snapshot"), (50, "status"), (60, "snapshot", "switch")]
    kernel.exiting = True
    did.clear()
    kernel.clock.now = 1099
    assert not consumer.wake() and "stop" not in did, "exit() is seen when the status is asked for"
    did.clear()
    kernel.clock.now = 1100
    assert consumer.wake() and did == ["status", "stop", "snapshot", "switch"]


def test_a_ring_is_read_after_the_end_alone():
    kernel, did = Kernel(), []
    kernel.clock, kernel.drain = SimpleNamespace(now=1), lambda: did.append("switch") or []
    kernel.status = lambda: Status(filled=True)
    kernel.stop = lambda: did.append("stop")
    kernel.options.set("bufpolicy", "ring")
    assert not Consumer(kernel).wake() and did == []
    kernel.options.set("bufpolicy", "fill")
    assert Consumer(kernel).wake() and did == ["stop", "switch"]


def test_exit_system_and_freopen():
    def formatted(text: str, act: Act) -> tuple[Record, Statement]:
        statement = Statement(EcbDesc(ProbeDesc()), format=parse(text))
        return record(4, act), statement

    acts = [formatted("ls", Act.SYSTEM), formatted("log", Act.FREOPEN), formatted("hi %%", Act.PRINTF), formatted(".", Act.FREOPEN)]
    clause = ecb(PROBE, *acts, (record(4, Act.EXIT), None))
    kernel = Kernel(Entry(clause, 0, 0, (0, 0, 0, 0, 3)))
    kernel.options["quiet"] = 0
    consumer = Consumer(kernel, system=lambda command: f"ran {command}\n")
    consumer.finish()
    assert consumer.out.getvalue() == "ran ls\n\n"
    assert consumer.files["log"].getvalue() == "hi %" and consumer.status == 3


def test_formats_by_chance_are_printed_or_refused():
    chance = Random(1)
    kinds = [C["char"], C["unsigned char"], C["short"], C["int"], C["unsigned"], C["long"], C["unsigned long long"], STRING, C["double"]]
    printed = 0
    for _ in range(3000):
        text = "".join(chance.choice("%%%0-+#' 19.*?@lhLwdiouxXcCsSaAeEfgGkpPIYTq\0é\n") for _ in range(chance.randrange(12)))
        args = [chance.choice(kinds) for _ in range(chance.randrange(4))]
        try:
            form = validate(parse(text), args, "printf", ENV)
        except DError:
            continue
        pairs = [(record(ctf.sizeof(kind)), b"text" if kind is STRING else chance.getrandbits(8 * ctf.sizeof(kind))) for kind in args]
        try:
            out, used = render(form, pairs, Sheet())
        except Abort:
            assert any(conversion.name in ("a", "A") for conversion in form.conversions), text
            continue
        assert used <= len(args) + 1 and isinstance(out, str)
        printed += bool(args)
    assert printed > 20


def test_times_are_of_a_zone():
    assert time_zone("") is time_zone("Nowhere/Land") is time_zone("../etc/passwd") is UTC
    zone = timezone(timedelta(hours=-8), "PST")
    assert printf("%Y %T", ("uint64_t", 0), ("uint64_t", 0), sheet=Sheet(zone=zone)) == (
        "1969 Dec 31 16:00:00 Wed, 31 Dec 1970 16:00:00 PST"
    ), "the year of %T is the week's, as strftime's %G gives it"


def test_a_program_is_bounded():
    clause = EcbDesc(ProbeDesc(), actions=[Action(Act.EXIT, Difo(code=[0, 0], ints=[0]))])
    one = dof.size(Program([clause]))
    assert 200 < one < 400
    dof.check(Program([clause] * 10000))
    with pytest.raises(DError, match="DIF program exceeds maximum program size"):
        dof.check(Program([clause] * (dof.MOST // one + 1)))
