"""Variables: by value and by reference, static and dynamic, and the space for dynamic ones."""

import pytest

from smartos.dtrace.dif import BYREF, GLOBAL, LOCAL, SCALAR, STR, THREAD, Difo, DifType, DifVar, Op, word2, word3
from smartos.dtrace.environment import ProbeInfo
from smartos.dtrace.vm.fault import Dropped, Fault
from smartos.dtrace.vm.machine import Machine
from smartos.dtrace.vm.variables import Limits

PROBE = ProbeInfo(9, "sdt", "m", "f", "n")
STRING = DifType(STR, 1, BYREF, 0)
NUMBER, TEXT, STRUCT = 0x500, 0x501, 0x502
TYPES = {NUMBER: DifType(), TEXT: STRING, STRUCT: DifType(0, 6, BYREF, 24)}
VARS = [DifVar("v", number, SCALAR, scope, True, True, kind) for number, kind in TYPES.items() for scope in (GLOBAL, THREAD, LOCAL)]
LD = {GLOBAL: Op.LDGS, THREAD: Op.LDTS, LOCAL: Op.LDLS}
ST = {GLOBAL: Op.STGS, THREAD: Op.STTS, LOCAL: Op.STLS}


class Bench:
    def __init__(self, **limits):
        self.machine = Machine(limits=Limits(**limits))

    def run(self, code, ints=(), kind=DifType(), context=None, strings=b"\0"):
        difo = Difo(list(code), list(ints), strings, VARS, kind)
        return self.machine.value(difo, self.machine.frame(PROBE, (), context or {}, cpu=(context or {}).get("cpu", 0)))

    def get(self, scope, number, **context):
        return self.run([word2(LD[scope], number, 1), word3(Op.RET, 0, 0, 1)], (), TYPES[number], context)

    def put(self, scope, number, value, **context):
        if isinstance(value, bytes):
            code = [word2(Op.SETS, 1, 1)]
            return self.run([*code, word2(ST[scope], number, 1), word3(Op.RET)], (), context=context, strings=b"\0" + value + b"\0" * 32)
        return self.run([word2(Op.SETX, 0, 1), word2(ST[scope], number, 1), word3(Op.RET)], (value,), context=context)

    def element(self, keys, value=None):
        code, strings = [], b"\0"
        for key in keys:
            if isinstance(key, bytes):
                code += [word2(Op.SETS, len(strings), 1), word2(Op.SETX, 1, 2), word3(Op.PUSHTR, STR, 2, 1)]
                strings += key + b"\0"
            else:
                code += [word2(Op.SETX, key, 1), word3(Op.PUSHTV, 0, 0, 1)]
        ints = [0, 256, 2, 3, 4, *range(5, 200)]
        if value is None:
            code += [word2(Op.LDGAA, NUMBER, 3), word3(Op.RET, 0, 0, 3)]
        else:
            code += [word2(Op.SETX, value, 3), word2(Op.STGAA, NUMBER, 3), word3(Op.RET)]
        return self.run(code, ints, strings=strings)


def test_globals_and_this_keep_their_values_this_one_for_each_cpu():
    bench = Bench()
    bench.put(GLOBAL, NUMBER, 7)
    bench.put(LOCAL, NUMBER, 8, cpu=1)
    assert [bench.get(GLOBAL, NUMBER, cpu=1), bench.get(LOCAL, NUMBER, cpu=1), bench.get(LOCAL, NUMBER)] == [7, 8, 0]


def test_variables_by_reference_begin_as_zeros_and_can_be_null():
    bench = Bench(strsize=8)
    assert bench.get(GLOBAL, TEXT) == b""
    assert bench.get(GLOBAL, STRUCT) == bytes(24)
    for scope in (GLOBAL, LOCAL):
        bench.put(scope, TEXT, b"long enough to cut")
        assert bench.get(scope, TEXT) == b"long eno"
        bench.put(scope, TEXT, 0)
        with pytest.raises(Fault) as caught:
            bench.get(scope, TEXT)
        assert caught.value.value == 0
        bench.put(scope, TEXT, b"again")
        assert bench.get(scope, TEXT) == b"again"


def test_copying_from_a_bad_address_leaves_an_empty_string():
    bench = Bench()
    bench.put(GLOBAL, TEXT, b"before")
    with pytest.raises(Fault) as caught:
        bench.put(GLOBAL, TEXT, 1)
    assert (caught.value.value, caught.value.offset) == (1, 4)
    assert bench.get(GLOBAL, TEXT) == b""
    with pytest.raises(Fault) as caught:
        bench.put(GLOBAL, STRUCT, 5)
    assert caught.value.value == 5  # upward in memory, the copy goes backward, and the first address is met last


def test_self_belongs_to_a_thread_and_zero_frees_it():
    bench = Bench()
    bench.put(THREAD, NUMBER, 5, pid=1, tid=1)
    bench.put(THREAD, TEXT, b"mine", pid=1, tid=2)
    assert [bench.get(THREAD, NUMBER, pid=1, tid=1), bench.get(THREAD, NUMBER, pid=1, tid=2)] == [5, 0]
    assert bench.get(THREAD, TEXT, pid=1, tid=2) == b"mine"
    with pytest.raises(Fault):
        bench.get(THREAD, TEXT, pid=1, tid=1)
    assert len(bench.machine.variables.dynamic) == 2
    bench.put(THREAD, NUMBER, 0, pid=1, tid=1)
    bench.put(THREAD, TEXT, 0, pid=1, tid=2)
    assert not bench.machine.variables.dynamic


def test_keys_are_told_apart_by_value_and_kind():
    bench = Bench()
    bench.element([1, b"a"], 2)
    bench.element([b"a", 1], 3)
    bench.element([1], 4)
    got = [bench.element(keys) for keys in ([1, b"a"], [b"a", 1], [1], [2], [b"a"], [1, b"b"])]
    assert got == [2, 3, 4, 0, 0, 0]


def test_dynamic_space_ends_is_counted_and_comes_back_when_freed():
    bench = Bench(dynvarsize=2048)
    room = bench.machine.variables.capacity
    for key in range(5, 5 + room):
        bench.element([key], 9)
    for _ in range(3):
        with pytest.raises(Dropped):
            bench.element([150], 9)
    assert bench.machine.variables.drops == 3
    bench.element([5], 8)  # one that exists can be changed
    bench.element([5], 0)
    bench.element([150], 9)
    assert [bench.element([150]), bench.element([5]), len(bench.machine.variables.dynamic)] == [9, 0, room]


def test_chunks_are_as_large_as_the_largest_variable_assigned():
    bench = Bench()
    assert bench.machine.variables.chunk == 256
    bench.put(THREAD, TEXT, b"x")
    assert bench.machine.variables.chunk == 48 + 16 + 256
    size, buckets = 1 << 20, (1 << 20) // (320 + 64)
    buckets -= buckets & 1
    assert bench.machine.variables.capacity == -(-(size - 64 * buckets) // 320) - 1
