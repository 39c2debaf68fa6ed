"""What compiling and enabling costs: in proportion to the program, whatever there are many of. Counted in lines of ours
that run, so that no clock decides."""

import sys
from collections.abc import Callable

import pytest

from smartos.dtrace.session import Session

FEW, MANY = 60, 240


def lines(call: Callable[[], object]) -> int:
    """How many lines run while `call` does."""
    count = 0

    def local(frame, event, argument):  # noqa: ANN001, ANN202
        nonlocal count
        count += event == "line"
        return local

    before = sys.gettrace()
    sys.settrace(lambda frame, event, argument: local)
    try:
        call()
    finally:
        sys.settrace(before)
    return count


def program(begin: str, each: str, end: str, count: int) -> str:
    return begin + "".join(each.replace("%d", str(number)) for number in range(count)) + end


def compiled(text: str) -> None:
    session = Session(workload="")
    session.options.set("destructive")
    session.enable(session.compile(text, script=True))
    session.go()
    session.finish()


MANY_OF = {
    "assignments": ("BEGIN { ", "x = %d; ", "}"),
    "variables": ("BEGIN { ", "x%d = %d; ", "}"),
    "variables of a clause": ("BEGIN { ", "this->x%d = %d; ", "}"),
    "variables of a thread": ("BEGIN { ", "self->x%d = %d; ", "}"),
    "elements": ("BEGIN { ", "a[%d] = %d; ", "}"),
    "traces": ("BEGIN { ", "trace(%d); ", "}"),
    "strings": ("BEGIN { ", 'printf("s%d %s", "t%d"); ', "}"),
    "aggregations": ("BEGIN { ", "@a%d = count(); ", "}"),
    "keys": ("BEGIN { ", "@a[%d] = count(); ", "}"),
    "conditions": ("BEGIN { ", "if (pid == %d) { trace(%d); } ", "}"),
    "destructive actions": ("BEGIN { ", "stop(); ", "}"),
    "discards": ("BEGIN { ", "discard(%d); ", "}"),
    "data after speculate()": ("BEGIN { speculate(1); ", "trace(%d); ", "}"),
    "clauses": ("", "BEGIN { trace(%d); } ", ""),
    "clauses at clocks": ("", "tick-1s { trace(%d); } ", ""),
    "descriptions": ("BEGIN", ", END", " { trace(1); }"),
    "predicates": ("", "BEGIN /pid == %d/ { } ", ""),
    "declarations": ("", "int g%d; ", "BEGIN { }"),
    "structures": ("", "struct s%d { int a; char b[%d + 1]; }; ", "BEGIN { }"),
    "members": ("struct s { ", "int m%d; ", "}; BEGIN { }"),
    "inlines": ("", "inline int I%d = %d; ", "BEGIN { }"),
    "terms": ("BEGIN { trace(pid", " + %d", "); }"),
    "comments": ("", "/* %d */\n", "BEGIN { }"),
    "empty statements": ("BEGIN { ", "; ", "}"),
}
DEEP = {"terms": 40}  # an expression has at most 200 levels


@pytest.mark.parametrize("what", MANY_OF)
def test_four_times_as_many_cost_four_times_as_much(what):
    few = DEEP.get(what, FEW)
    texts = [program(*MANY_OF[what], count) for count in (1, few, 4 * few)]
    compiled(texts[0])  # so that nothing is imported, or kept for the next time, while it is counted
    one, less, more = (lines(lambda text=text: compiled(text)) for text in texts)
    assert more - one <= 4.6 * (less - one), (one, less, more)
