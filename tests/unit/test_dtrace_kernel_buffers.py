"""The kernel's buffers, speculations and the layout of entries, on clauses built by hand."""

import pytest

from smartos.dtrace.dif import Difo, DifType, Op, word2, word3
from smartos.dtrace.environment import ProbeInfo
from smartos.dtrace.kernel.buffer import Ecb, Entry
from smartos.dtrace.kernel.buffers import FILL, RING, AggregationRoom, Buffer
from smartos.dtrace.kernel.ecb import Einval, create
from smartos.dtrace.kernel.speculation import Illegal, Speculations, State
from smartos.dtrace.options import Options
from smartos.dtrace.program import Act, Action, EcbDesc
from smartos.dtrace.tree import ProbeDesc

BEGIN = ProbeInfo(1, "dtrace", "", "", "BEGIN")


def number(value: int, size: int = 4) -> Difo:
    return Difo([word2(Op.SETX, 0, 1), word3(Op.RET, 0, 0, 1)], ints=[value], type=DifType(size=size))


def entry(n: int) -> Entry:
    return Entry(Ecb(1, BEGIN, EcbDesc(ProbeDesc())), 0, n, (n,))


def plan(*actions: Action, options: Options | None = None):
    return create(1, BEGIN, EcbDesc(ProbeDesc("", "", "", "BEGIN"), None, list(actions)), options or Options.command(), lambda: 1)


def test_entries_are_laid_out_as_the_kernel_does():
    ecb = plan(Action(Act.DIFEXPR, number(1, 1)), Action(Act.DIFEXPR, number(2, 8)), Action(Act.EXIT, number(0))).ecb
    assert [record.offset for record in ecb.records] == [12, 16, 24]
    assert (ecb.size, ecb.needed, ecb.alignment) == (28, 28, 8)


def test_a_clause_that_stores_nothing_has_no_size_but_a_lone_speculate_has():
    assert plan(Action(Act.DISCARD, number(1))).ecb.size == 0
    assert plan(Action(Act.SPECULATE, number(1))).ecb.size == 12


def test_the_tuple_of_an_aggregation_lies_behind_the_entry():
    made = plan(Action(Act.DIFEXPR, number(1)), Action(Act.DIFEXPR, number(7, 8)), Action(Act.COUNT, None, 0, 2))
    assert made.ecb.size == 0 and made.ecb.needed == 32
    assert made.steps[2].room == (16, 8)


@pytest.mark.parametrize("actions", [
    (Action(Act.COMMIT, number(1)), Action(Act.DIFEXPR, number(1))),
    (Action(Act.SPECULATE, number(1)), Action(Act.DIFEXPR, number(1)), Action(Act.COUNT, None, 0, 1)),
    (Action(Act.DIFEXPR, number(1)), Action(Act.SPECULATE, number(1))),
    (Action(Act.COUNT, None, 0, 1),),
])  # fmt: skip
def test_what_the_kernel_does_not_take(actions):
    with pytest.raises(Einval):
        plan(*actions)


def test_a_switch_buffer_drops_what_does_not_fit():
    buffer = Buffer(40)
    for n in range(3):
        if (at := buffer.reserve(16, 8)) >= 0:
            buffer.commit(at, 16, entry(n))
    assert [e.values for e in buffer.take()] == [(0,), (1,)] and buffer.drops == 1
    assert buffer.reserve(16, 8) == 0


def test_a_fill_buffer_keeps_room_for_the_end():
    buffer = Buffer(48, FILL)
    at = buffer.reserve(16, 8, reserve=16)
    buffer.commit(at, 16, entry(0))
    assert buffer.reserve(24, 8, reserve=16) == -1 and buffer.full and not buffer.drops
    assert buffer.reserve(16, 8, 0, cooldown=True) == 16


def test_a_ring_buffer_keeps_the_newest():
    buffer = Buffer(64, RING)
    for n in range(10):
        buffer.commit(buffer.reserve(16, 4), 16, entry(n))
    assert [e.timestamp for e in buffer.take()] == [6, 7, 8, 9]


def test_a_ring_buffer_loses_what_a_false_predicate_reserved():
    buffer = Buffer(64, RING)
    for n in range(4):
        buffer.commit(buffer.reserve(16, 4), 16, entry(n))
    assert buffer.reserve(16, 4) == 0  # and not committed
    assert [e.timestamp for e in buffer.take()] == [1, 2, 3]


def test_a_ring_buffer_that_is_too_small_drops():
    buffer = Buffer(16, RING)
    assert buffer.reserve(24, 8) == -1 and buffer.drops == 1


def test_an_aggregation_buffer_holds_so_many_keys():
    room = AggregationRoom(512)
    taken = sum(room.take(16, 8) for _ in range(50))
    assert 0 < taken < 50 and room.drops == 50 - taken
    room.clear()
    assert room.take(16, 8)


def test_a_speculation_is_committed_or_discarded():
    every = Speculations(2, 256)
    first, second = every.new(), every.new()
    assert (first, second, every.new()) == (1, 2, 0) and every.unavailable == 1
    for which in (first, second):
        part = every.buffer(which, 0)
        part.commit(part.reserve(16, 4), 16, entry(which))
    principal = Buffer(256)
    every.commit(first, 0, principal, now=99)
    every.discard(second, 0)
    assert [(e.values, e.timestamp) for e in principal.take()] == [((1,), 99)]
    assert every.all[0].state is every.all[1].state is State.INACTIVE


def test_a_speculation_of_two_cpus_waits_for_the_cleaner():
    every, principals = Speculations(1, 256), {0: Buffer(256), 1: Buffer(256)}
    which = every.new()
    for cpu in (0, 1):
        part = every.buffer(which, cpu)
        part.commit(part.reserve(16, 4), 16, entry(cpu))
    every.commit(which, 0, principals[0], 1)
    assert every.new() == 0 and every.busy == 1
    every.clean(principals, 2)
    assert [e.values for e in principals[1].take()] == [(1,)] and every.new() == 1


def test_a_number_that_no_speculation_has_is_illegal():
    with pytest.raises(Illegal):
        Speculations(1, 256).commit(2, 0, Buffer(64), 0)
