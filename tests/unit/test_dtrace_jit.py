"""DIF compiled to Python does what the interpreter does: DIF by chance, and whole programs both ways."""

import random
from collections import Counter

import pytest

from smartos import probes
from smartos.dtrace.dif import (
    BYREF,
    CTF,
    GLOBAL,
    LOCAL,
    SCALAR,
    STR,
    THREAD,
    Difo,
    DifType,
    DifVar,
    Op,
    Subr,
    V,
    branch,
    word2,
    word3,
)
from smartos.dtrace.environment import ProbeInfo
from smartos.dtrace.session import Session
from smartos.dtrace.vm import jit
from smartos.dtrace.vm.fault import Dropped, Fault
from smartos.dtrace.vm.machine import Machine
from smartos.dtrace.vm.variables import Limits

PROBE = ProbeInfo(7, "sdt", "kvm", "kvm_emulate_pio", "kvm-pio")
KINDS = {0x500: DifType(), 0x501: DifType(STR, 1, BYREF, 0), 0x502: DifType(), 0x503: DifType(CTF, 6, BYREF, 24)}
VARS = [DifVar("v", number, SCALAR, scope, True, True, kind) for number, kind in KINDS.items() for scope in (GLOBAL, THREAD, LOCAL)]
STRINGS = b'\0hello\0sched\0/a/b/../c\0,\0{"a":[1,2]}\0'
STARTS = (0, 1, 7, 13, 24, 26)
ARITHMETIC = (Op.OR, Op.XOR, Op.AND, Op.SLL, Op.SRL, Op.SUB, Op.ADD, Op.MUL, Op.SDIV, Op.UDIV, Op.SREM, Op.UREM, Op.SRA)
CALLS = (Subr.STRLEN, Subr.STRJOIN, Subr.SUBSTR, Subr.LLTOSTR, Subr.INDEX, Subr.STRTOK, Subr.CLEANPATH, Subr.JSON, Subr.RAND)
BUILT_IN = (V.PID, V.TID, V.EXECNAME, V.ARG0, V.ARG1, V.ARG9, V.PROBENAME, V.TIMESTAMP, V.ERRNO, V.ZONENAME, V.CALLER, V.ID)
LOADS = (Op.LDX, Op.LDUB, Op.LDSB, Op.LDSW, Op.LDUH, Op.ULDX)
EDGES = (0, 1, 2, 8, 32, 63, 64, 255, -1, -2, 1 << 63, (1 << 63) - 1)


class Chance:
    """DIF objects by chance: every instruction that there is, mostly legal ones."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.length = self.random.randrange(2, 26)

    def any(self):
        return self.random.randrange(8)

    def target(self):
        return self.random.randrange(1, 8)

    def number(self):
        return self.random.choice(tuple(KINDS))

    def instruction(self, at):
        pick, n = self.random.choice, self.length
        forms = (
            (9, lambda: word2(Op.SETX, self.random.randrange(6), self.target())),
            (4, lambda: word2(Op.SETS, pick(STARTS), self.target())),
            (8, lambda: word3(pick(ARITHMETIC), self.any(), self.any(), self.target())),
            (2, lambda: word3(pick((Op.NOT, Op.MOV)), self.any(), 0, self.target())),
            (4, lambda: word3(pick((Op.CMP, Op.TST, Op.SCMP)), self.any(), self.any(), 0)),
            (4, lambda: branch(pick(list(Op)[16:27]), min(at + 1 + self.random.randrange(1, 6), n))),
            (4, lambda: word2(Op.LDGS, pick(BUILT_IN), self.target())),
            (5, lambda: word2(pick((Op.LDGS, Op.LDTS, Op.LDLS)), self.number(), self.target())),
            (5, lambda: word2(pick((Op.STGS, Op.STTS, Op.STLS)), self.number(), self.any())),
            (3, lambda: word3(Op.PUSHTV, 0, 0, self.any())),
            (1, lambda: word3(Op.PUSHTR, self.random.randrange(2), self.any(), self.any())),
            (3, lambda: word2(pick((Op.LDGAA, Op.STGAA, Op.LDTAA, Op.STTAA)), self.number(), self.target())),
            (1, lambda: word2(Op.CALL, pick(CALLS), self.target())),
            (2, lambda: word3(pick((Op.FLUSHTS, Op.POPTS, Op.NOP)))),
            (1, lambda: word3(pick(LOADS), self.any(), 0, self.target())),
            (1, lambda: word3(Op.ALLOCS, self.any(), 0, self.target())),
        )  # fmt: skip
        return self.random.choices([form for _, form in forms], [weight for weight, _ in forms])[0]()

    def difo(self):
        ints = [self.random.choice((*EDGES, self.random.getrandbits(64), self.random.getrandbits(8))) & (1 << 64) - 1 for _ in range(6)]
        code = [self.instruction(at) for at in range(self.length)]
        if self.random.random() < 0.1:
            code[self.random.randrange(self.length)] = self.random.getrandbits(32)
        kind = self.random.choice((DifType(), DifType(), DifType(size=4), KINDS[0x501], DifType(CTF, 6, BYREF, 16)))
        return Difo([*code, word3(Op.RET, 0, 0, self.any())], ints, STRINGS, VARS, kind)


def machine(limits, difos):
    """A machine on which nothing gets its address in another order."""
    made = Machine(limits=limits)
    for difo in difos:
        made.prepare(difo)
    for number, kind in KINDS.items():
        if kind.by_ref:
            for scope in (GLOBAL, LOCAL):
                made.variables.reference(scope, number, 0)
    for name in (b"sched", b"x\0y", b"a" * 300, b"global", b"kvm-pio", b"abc"):
        made.memory.intern(name)
    return made


def state(made):
    known = made.variables
    statics = {key: bytes(static.region.data) for key, static in known.references.items()}
    dynamic = {key: value if isinstance(value, int) else bytes(value.data) for key, value in known.dynamic.items()}
    return known.globals, {cpu: values for cpu, values in known.locals.items() if values}, statics, dynamic, known.drops, made.random


def outcome(call):
    try:
        return "value", call()
    except Fault as fault:
        return "fault", fault.kind, fault.value, fault.offset
    except Dropped:
        return ("drop",)


def compare(seed, seen):
    chance = Chance(seed)
    difos = [chance.difo(), Chance(-seed).difo()]
    limits = Limits(dynvarsize=chance.random.choice((1 << 20, 1500)), strsize=chance.random.choice((256, 8, 16)))
    one, two = machine(limits, difos), machine(limits, difos)
    functions = []
    for difo in difos:
        try:
            functions.append(jit.function(two, difo, PROBE))
            seen["compiled"] += 1
        except jit.Uncovered:
            functions.append(None)
    context = {"pid": chance.random.choice((0, 5, 1 << 31)), "tid": 1, "execname": chance.random.choice(("sched", "x\0y", "a" * 300))}
    args = chance.random.choice((0, -1, 5, 1 << 40)), chance.random.choice(("abc", None, 7))
    for _ in range(2):
        for difo, function in zip(difos, functions, strict=True):
            frames = [made.frame(PROBE, args, context, timestamp=9) for made in (one, two)]
            got = outcome(lambda: one.value(difo, frames[0]))  # noqa: B023
            compiled = function or (lambda args, context, frame: two.value(difo, frame))  # noqa: B023
            assert outcome(lambda: compiled(args, context, frames[1])) == got, (seed, getattr(function, "source", ""))  # noqa: B023
            assert state(one) == state(two), (seed, getattr(function, "source", ""))
            seen[got[0]] += 1


def cast(shift, first, second, last, result):
    """Both halves of a cast, each from and to a register."""
    code = [word2(Op.LDGS, V.ARG0, 1), word2(Op.SETX, 0, 2), word3(Op.SLL, 1, 2, first), word3(last, first, 2, second)]
    return Difo([*code, word3(Op.RET, 0, 0, result)], [shift], b"\0", [], DifType())


@pytest.mark.parametrize("shift", [0, 1, 32, 48, 63])
@pytest.mark.parametrize("registers", [(1, 1, 1), (3, 3, 3), (3, 4, 4), (3, 4, 3), (3, 4, 1), (1, 3, 1)])
@pytest.mark.parametrize("last", [Op.SRA, Op.SRL, Op.ADD])
def test_casts_are_made_shorter_only_where_nobody_sees_the_halves(shift, registers, last):
    difo, made = cast(shift, registers[0], registers[1], last, registers[2]), Machine()
    function = jit.function(made, difo, PROBE)
    for value in (0, 1, 127, 128, 0x7FFFFFFF, 0x80000000, -1, -(1 << 63), (1 << 63) - 1, 0x1_8000_0001):
        frame = made.frame(PROBE, (value,), {})
        assert function((value,), {}, frame) == made.value(difo, frame), function.source


def test_dif_by_chance_does_the_same_both_ways():
    seen = Counter()
    for seed in range(300):
        compare(seed, seen)
    assert seen["compiled"] > 400
    assert min(seen["value"], seen["fault"]) > 200


ONE = probes.declare("sdt:jit:first:one", "int", "int")
TWO = probes.declare("sdt:jit:second:two", "char *", "uintptr_t")


def events():
    chance = random.Random(5)
    for n in range(400):
        who = {"execname": chance.choice(("qemu", "zpool", "sched")), "pid": chance.choice((1, 12, 30)), "tid": chance.randrange(2)}
        with probes.acting(**who, stack=(1, 2, n % 3), cpu=chance.randrange(2)):
            if chance.random() < 0.7:
                ONE.fire(chance.randrange(-9, 1 << chance.randrange(1, 31)), n % 7, vmregs={0x4402: n % 5})
            else:
                TWO.fire(chance.choice(("read", "write", None)), n)


def traced(text, compiled, **options):
    session = Session((), workload="", seed=3)
    session.options.update(options)
    session.kernel.compiled = compiled
    session.enable(session.compile(text, pspec=True))
    session.go()
    events()
    listeners = [hear for _, hear in session.kernel._attached]
    session.finish()
    return (session.out.getvalue(), session.err.getvalue()), any(hasattr(hear, "source") for hear in listeners)


PROGRAMS = [
    "one { @ = count(); }",
    "one /pid == 12/ { @[execname] = quantize(arg0); } two { @b[execname, arg1] = sum(arg1); }",
    'BEGIN { n[1] = "eptviolation"; n[2] = "hlt"; } one { @[n[vmregs[0x4402]]] = count(); }',
    "one { @[probefunc, pid] = lquantize(arg0, 0, 1000, 100); @l[curcpu->cpu_id] = llquantize(arg0, 10, 0, 6, 10); }",
    "one { @a = avg(arg0); @m = min(args[0]); @x = max(args[0]); @s = stddev(args[0]); @q = quantize(args[0], args[1]); }",
    "one { self->t = timestamp; self->n++; } two /self->t/ { @[execname] = quantize(timestamp - self->t); self->t = 0; }",
    "one { trace(arg0); trace(execname); } two { printf(\"%s %d\", stringof(arg0), arg1); }",
    "one { this->x = arg0 % arg1; trace(this->x); }",
    'two { last = stringof(arg0); @[last] = count(); } one / last == "read" / { @r = count(); }',
    "one { a[execname, pid % 4] = arg0; b[pid, tid] = strjoin(execname, probename); @j[b[pid, tid]] = sum(a[execname, pid % 4]); }",
    "one { @[stack()] = count(); stack(2); }",
    "one /execname != \"sched\" && (arg1 == 3 || arg1 < 2) && !(pid > 12)/ { @[arg1 ? execname : \"none\"] = count(); trace(arg1 > 2 ? -1 : arg0); }",
    "one { x++; trace(*(int *)(x % 40 > 30 ? NULL : &`physmem)); }",
    "one { self->a[arg0, arg1] = arg1; @ = sum(self->a[arg0, arg1]); }",
    "one /arg1 == 4/ { exit(arg1); } one { @ = count(); } END { trace(walltimestamp != 0); }",
    "one { @[strexitno[vmregs[0x4402]]] = count(); } two / strexitno[arg1 % 9] != strexitno[2] / { @b[strexitno[arg1]] = count(); }",
    "one { speculate(speculation()); } two { @[arg1 % 3] = count(); } one { @m = max(strlen(execname)); }",
    "one { self->s = speculation(); } one { speculate(self->s); trace(arg0); } two /arg1 % 3/ { commit(self->s); self->s = 0; } "
    "two /self->s/ { discard(self->s); self->s = 0; } one { trace(arg1); }",
    "one { speculate(arg1 == 2 ? 900 : speculation()); printf(\"%d\", arg0); } two { commit(1); } two { discard(77); trace(arg1); }",
    "one { trace(arg0); exit(arg1 == 4 ? 3 : 1); exit(5); } one { trace(1); @ = count(); } two { @t = count(); } END { trace(2); }",
    "one { self->n = speculation(); speculate(self->n); trace(arg0); } two { trace(arg1); } two { commit(self->n); } one { trace(7); }",
]


@pytest.mark.parametrize("text", PROGRAMS)
def test_programs_leave_the_same_both_ways(text):
    slow, _ = traced(text, compiled=False)
    fast, compiled = traced(text, compiled=True)
    assert fast == slow
    assert compiled
    assert fast[0].strip() or fast[1].strip()


@pytest.mark.parametrize(
    ("options", "seen"),
    [
        ({"bufsize": 512}, "drops on CPU 1"), ({"aggsize": 1024}, "aggregation drops on CPU 0"),
        ({"dynvarsize": 2000}, "dynamic variable drops"), ({"strsize": 5}, "out of scratch space in action #2"),
        ({"bufpolicy": 0, "bufsize": 600}, ""), ({"nspec": 2}, "failed speculations"), ({"nspec": 9, "specsize": 16}, "speculative drops"),
    ],
)  # fmt: skip
def test_bounds_are_met_at_the_same_place(options, seen):
    text = PROGRAMS[1] + PROGRAMS[6] + PROGRAMS[9] + PROGRAMS[17] * ("nspec" in options)
    got = traced(text, True, **options)[0]
    assert got == traced(text, False, **options)[0]
    assert seen in got[1]
