"""The interpreter of DIF: arithmetic, conditions, memory, faults, bounds."""

import pytest

from smartos.dtrace.dif import BYREF, BYUREF, CTF, STR, Difo, DifType, Op, V, branch, word2, word3
from smartos.dtrace.environment import ProbeInfo
from smartos.dtrace.vm.fault import Fault, FaultKind
from smartos.dtrace.vm.machine import Machine
from smartos.dtrace.vm.memory import KERNEL, USER, LazyRegion, Memory, Region

BEGIN = ProbeInfo(1, "dtrace", "", "", "BEGIN")
M64 = (1 << 64) - 1
STRING = DifType(STR, 1, BYREF, 0)


def run(code, ints=(), machine=None, args=(), context=None, **more):
    machine = machine or Machine()
    difo = Difo(list(code), [n & M64 for n in ints], **more)
    return machine.value(difo, machine.frame(BEGIN, args, context).begin(7))


def two(op, a, b):
    return run([word2(Op.SETX, 0, 1), word2(Op.SETX, 1, 2), word3(op, 1, 2, 3), word3(Op.RET, 0, 0, 3)], (a, b))


@pytest.mark.parametrize(
    ("op", "a", "b", "result"),
    [
        (Op.ADD, M64, 2, 1), (Op.SUB, 1, 2, M64), (Op.MUL, 1 << 63, 2, 0), (Op.SDIV, -7, 2, -3), (Op.SREM, -7, 2, -1),
        (Op.SREM, 7, -2, 1), (Op.UDIV, -8, 2, (M64 - 7) // 2), (Op.UREM, 9, 4, 1), (Op.SLL, 1, 63, 1 << 63), (Op.SLL, 1, 64, 1),
        (Op.SRL, -1, 60, 15), (Op.SRA, -16, 2, -4), (Op.SRA, 16, 66, 4), (Op.XOR, 6, 3, 5), (Op.OR, 6, 3, 7), (Op.AND, 6, 3, 2),
    ],
)  # fmt: skip
def test_arithmetic_is_that_of_64_bits(op, a, b, result):
    assert two(op, a, b) == result & M64


@pytest.mark.parametrize("op", [Op.SDIV, Op.UDIV, Op.SREM, Op.UREM])
def test_division_by_zero_faults_where_it_happens(op):
    with pytest.raises(Fault) as caught:
        two(op, 1, 0)
    assert (caught.value.kind, caught.value.value, caught.value.offset) == (FaultKind.DIVZERO, 0, 8)


def test_the_quotient_that_does_not_fit_faults_as_on_the_processor():
    with pytest.raises(Fault) as caught:
        two(Op.SDIV, -(1 << 63), -1)
    assert caught.value.kind is FaultKind.DIVZERO


def taken(op, a, b):
    code = [word2(Op.SETX, 0, 1), word2(Op.SETX, 1, 2), word3(Op.CMP, 1, 2, 0), branch(op, 6), word3(Op.RET), word3(Op.NOP),
            word2(Op.SETX, 2, 3), word3(Op.RET, 0, 0, 3)]  # fmt: skip
    return run(code, (a, b, 1)) == 1


def test_signed_conditions_look_at_the_sign_of_the_difference_and_unsigned_ones_at_the_carry():
    for a, b in ((1, 2), (2, 1), (5, 5), (-1, 1), (1, -1), (-(1 << 63), 1), ((1 << 63) - 1, -1)):
        negative = (a - b) & M64 >= 1 << 63
        zero, carry = a == b, a & M64 < b & M64
        got = {op: taken(op, a, b) for op in (Op.BE, Op.BNE, Op.BG, Op.BGE, Op.BL, Op.BLE, Op.BGU, Op.BGEU, Op.BLU, Op.BLEU)}
        assert got == {
            Op.BE: zero, Op.BNE: not zero, Op.BG: not zero and not negative, Op.BGE: not negative, Op.BL: negative,
            Op.BLE: zero or negative, Op.BGU: not carry and not zero, Op.BGEU: not carry, Op.BLU: carry, Op.BLEU: carry or zero,
        }  # fmt: skip


@pytest.mark.parametrize(
    "code",
    [
        [word3(Op.NOP), branch(Op.BA, 0)], [branch(Op.BA, 0)], [branch(Op.BA, 9)], [0], [200 << 24], [word2(Op.SETX, 3, 1)],
        [word2(Op.SETX, 0, 0)], [word3(Op.ADD, 1, 9, 2)], [word2(Op.SETS, 99, 1)], [word2(Op.CALL, 77, 1)], [word3(Op.RET, 0, 0, 9)],
        [word2(Op.LDTA, 0, 1)], [word2(Op.LDGS, 0x1FF, 1)],
    ],
)  # fmt: skip
def test_what_the_verifier_refuses_is_an_illegal_operation(code):
    with pytest.raises(Fault) as caught:
        run(code, (1,))
    assert caught.value.kind is FaultKind.ILLOP
    assert caught.value.offset == 4 * (len(code) - 1)


def load(op, address, machine=None, context=None):
    return run([word2(Op.SETX, 0, 1), word3(op, 1, 0, 2), word3(Op.RET, 0, 0, 2)], (address,), machine, (), context)


def test_loads_extend_signs_and_need_no_alignment():
    machine = Machine()
    base = machine.memory.map(bytes([0xFF, 0xFE, 0x7D, 0xFC, 1, 2, 3, 4, 5]))
    assert load(Op.LDUB, base, machine) == 0xFF
    assert load(Op.LDSB, base, machine) == M64
    assert load(Op.LDSH, base, machine) == 0xFEFF | M64 ^ 0xFFFF
    assert load(Op.LDSW, base + 1, machine) == 0x01FC7DFE
    assert load(Op.LDX, base + 1, machine) == 0x0504030201FC7DFE


@pytest.mark.parametrize("address", [0, 8, USER, KERNEL - 1, 1 << 63, M64])
def test_a_load_from_nowhere_names_the_address(address):
    with pytest.raises(Fault) as caught:
        load(Op.LDX, address)
    assert (caught.value.kind, caught.value.value, caught.value.offset) == (FaultKind.BADADDR, address, 4)


def test_the_two_halves_of_memory_do_not_mix():
    machine = Machine()
    user = machine.memory.map(b"\x05" * 8, user=True)
    kernel = machine.memory.map(b"\x06" * 8)
    assert load(Op.ULDUB, user, machine) == 5
    for op, address in ((Op.LDUB, user), (Op.ULDUB, kernel)):
        with pytest.raises(Fault) as caught:
            load(op, address, machine)
        assert caught.value.value == address


def test_user_loads_look_into_the_acting_process():
    process = Memory()
    address = process.map(b"\x2a" * 8, user=True)
    assert load(Op.ULDUB, address, context={"memory": process}) == 42


def test_stores_go_to_scratch_and_variables_only_and_want_alignment():
    machine = Machine()
    kernel = machine.memory.map(bytearray(16))

    def store(op, where, offset):
        code = [word2(Op.SETX, 0, 1), word3(Op.ALLOCS, 1, 0, 2), word2(Op.SETX, 1, 3), word3(Op.ADD, 2, 3, 2)]
        code += [word2(Op.SETX, 2, 4), word3(Op.OR, 4, 0, 2)] if where else []
        return run([*code, word3(op, 1, 0, 2), word3(Op.LDUB, 2, 0, 5), word3(Op.RET, 0, 0, 5)], (16, offset, where or 0), machine)

    assert store(Op.STX, None, 8) == 16
    for op, where, offset, kind in (
        (Op.STX, None, 4, FaultKind.BADALIGN), (Op.STW, None, 2, FaultKind.BADALIGN), (Op.STH, None, 1, FaultKind.BADALIGN),
        (Op.STB, kernel, 0, FaultKind.BADADDR), (Op.STB, 1, 0, FaultKind.BADADDR),
    ):  # fmt: skip
        with pytest.raises(Fault) as caught:
            store(op, where, offset)
        assert caught.value.kind is kind


def test_scratch_space_ends():
    with pytest.raises(Fault) as caught:
        run([word2(Op.SETX, 0, 1), word3(Op.ALLOCS, 1, 0, 2), word3(Op.RET, 0, 0, 2)], (5 << 20,))
    assert (caught.value.kind, caught.value.offset) == (FaultKind.NOSCRATCH, 4)
    with pytest.raises(Fault):
        run([word2(Op.SETX, 0, 1), word3(Op.ALLOCS, 1, 0, 2), word3(Op.RET, 0, 0, 2)], (-1,))


def test_a_tuple_has_eight_values():
    with pytest.raises(Fault) as caught:
        run([word3(Op.PUSHTV)] * 9)
    assert (caught.value.kind, caught.value.offset) == (FaultKind.TUPOFLOW, 32)


def test_what_comes_back_by_reference_is_read_after_the_object_has_ended():
    machine = Machine()
    address = machine.memory.map(b"swap\0ped" + bytes(8))
    code = [word2(Op.SETX, 0, 1), word3(Op.RET, 0, 0, 1)]
    assert run(code, (address,), machine, type=STRING) == b"swap"
    assert run(code, (address,), machine, type=DifType(CTF, 6, BYREF, 10)) == b"swap\0ped\0\0"
    with pytest.raises(Fault) as caught:
        run(code, (0,), machine, type=STRING)
    assert (caught.value.value, caught.value.offset) == (0, -1)
    with pytest.raises(Fault) as caught:
        run(code, (0,), machine, type=DifType(CTF, 6, BYREF, 16))
    assert caught.value.value == 15  # the kernel goes on to the last byte, and it is the one that it names
    user = machine.memory.map(b"mine", user=True)
    assert run(code, (user,), machine, type=DifType(STR, 1, BYUREF, 0)) == b"mine"


def test_integers_come_back_cut_to_their_size():
    code = [word2(Op.SETX, 0, 1), word3(Op.RET, 0, 0, 1)]
    assert run(code, (-1,), type=DifType(size=4)) == 0xFFFFFFFF
    assert run(code, (-1,)) == M64


def test_strings_compare_as_in_c_and_null_is_empty():
    def less(a, b):
        machine = Machine()
        place = [machine.memory.map(text + b"\0") if text is not None else 0 for text in (a, b)]
        code = [word2(Op.SETX, 0, 1), word2(Op.SETX, 1, 2), word3(Op.SCMP, 1, 2, 0), branch(Op.BL, 5), word3(Op.RET)]
        return run([*code, word2(Op.SETX, 2, 3), word3(Op.RET, 0, 0, 3)], (*place, 1), machine) == 1

    assert less(b"abc", b"abd")
    assert less(b"ab", b"abc")
    assert less(None, b"a")
    assert not less(b"abc", b"abc")
    assert not less(None, b"")
    assert not less(b"\x80", b"a")  # bytes are unsigned


def test_built_in_variables_come_from_the_firing_and_its_context():
    machine = Machine()
    context = {"pid": 12, "execname": "prstat", "stack": (1, 2, 3), "vmregs": {0x4402: 7}, "ancestors": (3, 1)}

    def var(number, kind=DifType(), element=0, context=context):
        code = [word2(Op.SETX, 0, 1), word3(Op.LDGA, number, 1, 2) if number < 0x100 else word2(Op.LDGS, number, 2)]
        return run([*code, word3(Op.RET, 0, 0, 2)], (element,), machine, (5, "text", -1), context, type=kind)

    assert [var(V.ARG0), var(V.ARG2), var(V.ARG9), var(V.ARGS, element=0)] == [5, M64, 0, 5]
    assert var(V.ARG1, STRING) == b"text"
    assert [var(V.PID), var(V.TID), var(V.EPID), var(V.ID), var(V.STACKDEPTH), var(V.CALLER)] == [12, 0, 7, 1, 3, 2]
    assert [var(V.EXECNAME, STRING), var(V.ZONENAME, STRING), var(V.PROBENAME, STRING)] == [b"prstat", b"global", b"BEGIN"]
    assert var(V.VMREGS, element=0x4402) == 7
    assert var(V.EXECNAME, STRING, context={}) == b"sched"
    for number, kind in ((V.UREGS, FaultKind.BADADDR), (V.VMREGS, FaultKind.ILLOP)):
        with pytest.raises(Fault) as caught:
            var(number, context={})
        assert caught.value.kind is kind


def test_without_the_kernels_privilege_only_ones_own_is_read():
    machine = Machine()
    machine.kernel = False
    address = machine.memory.map(b"secret\0")
    code = [word2(Op.SETX, 0, 1), word3(Op.RLDUB, 1, 0, 2), word3(Op.RET, 0, 0, 2)]
    with pytest.raises(Fault) as caught:
        run(code, (address,), machine)
    assert (caught.value.kind, caught.value.value) == (FaultKind.KPRIV, address)
    assert run([word2(Op.SETS, 1, 1), word3(Op.RLDUB, 1, 0, 2), word3(Op.RET, 0, 0, 2)], (), machine, strings=b"\0a\0") == 97


def test_memory_maps_finds_and_forgets():
    memory, made = Memory(strings=2), []
    lazy = LazyRegion(8, lambda: made.append(1) or b"lazy")
    address = memory.map(lazy)
    assert not made
    assert [memory.string(address, 256), memory.load(address + 4, 8), len(made)] == [b"lazy", 0, 1]
    first = memory.intern(b"one")
    assert memory.intern(b"one") == first
    memory.intern(b"two")
    memory.intern(b"three")
    with pytest.raises(Fault):
        memory.string(first, 8)
    memory.unmap(address)
    with pytest.raises(Fault):
        memory.load(address, 1)
    for _ in range(5000):
        memory.unmap(memory.map(b"for a moment"))
    assert memory.map(b"after") < KERNEL + (1200 << 16)  # places are used again
    large = memory.map(Region(bytearray(200_000), store=True))
    memory.store(large + 199_992, 8, -1)
    assert memory.load(large + 199_992, 8) == M64
    assert memory.read(large + 199_990, 4) == b"\0\0\xff\xff"
    assert not memory.can_store(large + 199_999, 2)
