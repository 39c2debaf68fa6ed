"""Aggregations: what the functions keep, and the charts and tables that are printed of them."""

from types import SimpleNamespace

import pytest

from smartos.dtrace.consumer import charts
from smartos.dtrace.consumer.aggprint import Table
from smartos.dtrace.consumer.aggstore import Store
from smartos.dtrace.consumer.charts import Style
from smartos.dtrace.consumer.render import Sheet
from smartos.dtrace.kernel import aggregate
from smartos.dtrace.kernel.aggregate import Aggregation
from smartos.dtrace.kernel.buffer import Record
from smartos.dtrace.options import Options
from smartos.dtrace.program import Act, Action

PLAIN = Style()


def record(size: int, action: Act = Act.DIFEXPR) -> Record:
    return Record(action, size, 0, 1, Action(action))


def filled(act: Act, values: list[int], arg: int = 0) -> list[int]:
    state = aggregate.new(act, arg)
    for value in values:
        aggregate.add(act, arg, state, value)
    return state


def store(aggregations: dict[int, tuple[str, Act, list[int], dict]], *options: str, arg: int = 0) -> Store:
    made = Store(Options(**dict.fromkeys(options, 0)))
    for ident, (name, act, sizes, data) in aggregations.items():
        made.merge({ident: Aggregation(ident, name, act, arg, [record(size) for size in sizes], data)})
    return made


def table(made: Store) -> Table:
    return Table(made, Sheet())


@pytest.mark.parametrize("value", [0, 1, 2, 3, 7, 8, 1023, (1 << 63) - 1, -1, -2, -3, -8, -9, -(1 << 62), -(1 << 63)])
def test_a_bucket_of_quantize_begins_at_or_before_its_values(value):
    bucket = aggregate.quantize_bucket(value)
    begin = aggregate.quantize_value(bucket)
    assert abs(begin) <= abs(value)
    assert abs(value) < 2 * abs(begin) or value == begin or value == -(1 << 63)


def lq(base: int, step: int, levels: int) -> int:
    return step << 48 | levels << 32 | base & 0xFFFFFFFF


def llq(factor: int, low: int, high: int, steps: int) -> int:
    return factor << 48 | low << 32 | high << 16 | steps


def test_lquantize_counts_what_lies_outside():
    arg = lq(-10, 5, 4)
    assert filled(Act.LQUANTIZE, [-11, -10, -6, 9, 10, 400], arg)[1:] == [1, 2, 0, 0, 1, 2]


def test_llquantize_begins_each_bucket_where_its_values_fall():
    arg = llq(10, 0, 6, 20)
    values = aggregate.llquantize_values(arg)
    assert values[:12] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20]
    assert values[-1] == 10**7
    for at, value in enumerate(values, 1):
        assert aggregate.llquantize_bucket(arg, value) == at
        assert aggregate.llquantize_bucket(arg, value - 1) == at - 1
    assert len(aggregate.new(Act.LLQUANTIZE, arg)) == len(values) + 2


def test_a_chart_of_quantize():
    state = filled(Act.QUANTIZE, [1, 1, 2, 5])
    assert charts.quantize(state, 1, PLAIN) == (
        "\n           value  ------------- Distribution ------------- count    \n"
        "               0 |                                         0        \n"
        "               1 |@@@@@@@@@@@@@@@@@@@@                     2        \n"
        "               2 |@@@@@@@@@@                               1        \n"
        "               4 |@@@@@@@@@@                               1        \n"
        "               8 |                                         0        \n"
    )


def test_bars_of_both_signs_share_a_line():
    state = filled(Act.QUANTIZE, [1, 1, 1])
    aggregate.add(Act.QUANTIZE, 0, state, 8, -1)
    lines = charts.quantize(state, 1, PLAIN).splitlines()[2:]
    assert lines[1] == f"{1:>16} {'':20}|{'@' * 15}{'':5} 3        "
    assert lines[4] == f"{8:>16} {'@' * 5:>20}|{'':20} -1       "


def test_an_empty_chart_shows_the_buckets_around_zero():
    assert [row.split()[0] for row in charts.quantize(aggregate.new(Act.QUANTIZE), 1, PLAIN).splitlines()[2:]] == ["-1", "0", "1"]


def test_a_chart_of_lquantize_names_its_ends():
    state = filled(Act.LQUANTIZE, [-1, 100], lq(0, 10, 2))
    rows = charts.lquantize(state, 1, PLAIN).splitlines()[2:]
    assert [row[:16].strip() for row in rows] == ["< 0", "0", "10", ">= 20"]


def test_a_chart_of_llquantize_ends_above_its_highest_magnitude():
    rows = charts.llquantize(filled(Act.LLQUANTIZE, [0, 1000], llq(10, 0, 1, 10)), 1, PLAIN).splitlines()[2:]
    assert rows[0].split("|")[0].strip() == "< 1" and rows[-1].split("|")[0].strip() == ">= 100"


def test_zoom_scales_by_the_highest_bar():
    state = filled(Act.QUANTIZE, [1] * 3 + [4] * 3)
    assert charts.quantize(state, 1, PLAIN).count("@") == 40
    assert charts.quantize(state, 1, Style(zoom=True)).count("@") == 76


def test_blocks_in_utf8():
    row = charts.line(3, 1, charts.total_of([3, 13], PLAIN), True, False, Style(utf8=True)).encode("latin-1").decode()
    assert row == f"|{'█' * 7}▌{' ' * 32} 3        \n"


def test_the_square_of_a_mean_is_less_than_the_mean_of_squares():
    assert aggregate.deviation(filled(Act.STDDEV, [2, 4, 4, 4, 5, 5, 7, 9])) == 2
    assert aggregate.deviation(filled(Act.STDDEV, [-7])) == 0
    assert aggregate.average(filled(Act.AVG, [-7, 2]), 1) == -2


@pytest.mark.parametrize(
    "act, one, two, both",
    [(Act.COUNT, [1], [2], [3]), (Act.MIN, [4], [-4], [-4]), (Act.MAX, [4], [9], [9]), (Act.AVG, [2, 5], [1, -9], [3, -4])],
)
def test_snapshots_add_up(act, one, two, both):
    aggregate.merge(act, one, two)
    assert one == both


def test_sorted_by_value_then_key_and_by_key_and_backwards():
    data = {(b"b",): [1], (b"a",): [1], (b"c",): [-5]}
    a = {1: ("a", Act.SUM, [256], data)}

    def names(*options: str) -> str:
        return "".join(row.split()[0] for row in table(store(a, *options)).everything().splitlines())

    assert names() == "cab"
    assert names("aggsortrev") == "bac"
    assert names("aggsortkey") == "abc"
    assert names("aggsortkey", "aggsortrev") == "cba"


def test_keys_compare_as_unsigned_numbers_but_print_as_signed():
    made = store({1: ("a", Act.COUNT, [4], {(0xFFFFFFFF,): [1], (5,): [1]})})
    assert table(made).everything() == "        5                1\n       -1                1\n"


def test_a_key_position_rotates_the_keys():
    a = {1: ("a", Act.COUNT, [4, 4], {(1, 9): [1], (2, 8): [1]})}
    made = store(a, "aggsortkey")
    assert table(made).everything().split()[0] == "1"
    made.options["aggsortkeypos"] = 1
    assert table(made).everything().split()[0] == "2"
    made.options["aggsortkeypos"] = 7
    assert table(made).everything().split()[0] == "1"


def test_several_side_by_side_have_zeros_where_one_has_no_value():
    made = store({1: ("a", Act.COUNT, [4], {(1,): [3], (2,): [1]}), 2: ("b", Act.SUM, [4], {(2,): [7]})})
    expected = "        2                1                7\n        1                3                0\n"
    assert table(made).several([1, 2]) == expected
    made.options["aggsortpos"] = 1
    assert table(made).several([1, 2]).splitlines() == expected.splitlines()[::-1]
    assert table(made).several([2, 1, 2]).splitlines()[0].split() == ["2", "7", "1", "7"]


def test_truncation_keeps_the_highest_or_the_lowest():
    def left(keep: int) -> set[int]:
        made = store({1: ("a", Act.SUM, [4], {(n,): [n] for n in range(6)})})
        made.truncate(1, keep)
        return {element.key[0] for element in made.of(1)}

    assert left(2) == {5, 4} and left(-2) == {0, 1} and left(0) == set() and left(9) == set(range(6))


def test_clear_keeps_keys_and_parameters():
    arg = lq(0, 1, 2)
    made = store({1: ("a", Act.LQUANTIZE, [], {(): filled(Act.LQUANTIZE, [1], arg)})}, arg=arg)
    made.clear(1)
    assert made.of(1)[0].state == [arg, 0, 0, 0, 0]


def test_normalization_divides_what_is_printed():
    made = store({1: ("a", Act.SUM, [], {(): [100]})})
    made.normalize(1, 7)
    assert table(made).everything() == f" {14:>16}\n"
    made.normalize(1, 1)
    assert table(made).everything().strip() == "100"


def test_agghist_makes_bars_of_counts_and_one_head():
    made = store({1: ("a", Act.COUNT, [256], {(b"x",): [1], (b"y",): [3]})}, "agghist")
    rows = table(made).everything().splitlines()
    assert rows[1] == f"{'key':>17} {' ------------- Distribution -------------'} count    "
    assert rows[2] == f" {'x':>16} |{'@' * 10}{'':30} 1        "
    assert len(rows) == 4


def test_aggpack_makes_lines_of_quantize():
    data = {(b"x",): filled(Act.QUANTIZE, [1, 1, 4])}
    made = store({1: ("a", Act.QUANTIZE, [256], data)}, "aggpack")
    made.options["encoding"] = "ascii"
    sheet = SimpleNamespace(style=Style(utf8=False), names=None)
    assert Table(made, sheet).everything() == (  # type: ignore[arg-type]
        f"\n{'key':>17}  min .-----. max  | count\n {'x':>16}    0 : x x : 8    | 3\n"
    )
