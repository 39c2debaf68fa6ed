"""The public face of DTrace in Python: a wrong type, or a number that makes no sense, is a DError that names it."""

import pytest

from smartos.dtrace import DError, run_script, trace
from smartos.dtrace.session import Session

NO_TEXT = [None, 5, b"BEGIN", ["BEGIN"], object()]


@pytest.mark.parametrize("text", NO_TEXT)
def test_a_program_is_text(text):
    for call in (lambda: run_script(text), lambda: trace(text).__enter__(), lambda: Session(workload="").compile(text)):
        with pytest.raises(DError, match=f"the program is {type(text).__name__}, not str"):
            call()


@pytest.mark.parametrize(("name", "wrong", "message"), [
    ("seed", "1", "seed is str, not int"), ("seed", None, "seed is NoneType, not int"), ("seed", 1.5, "seed is float, not int"),
    ("cpus", "2", "cpus is str, not int"), ("cpus", 0, "cpus is 0, not 1 to 256"), ("cpus", 10**9, "cpus is 1000000000, not 1 to 256"),
    ("workload", None, "workload is NoneType, not str"), ("workload", "nosuch", "workload is 'nosuch', not 'node' or ''"),
    ("seconds", "3", "seconds is str, not int or float"), ("seconds", -1, "seconds is -1, not 0 to 9223372036"),
    ("seconds", float("nan"), "seconds is nan, not 0 to 9223372036"), ("seconds", float("inf"), "seconds is inf, not 0 to 9223372036"),
    ("options", {}, "options is dict, not Options"), ("options", "quiet", "options is str, not Options"),
])  # fmt: skip
def test_every_other_argument_is_looked_at(name, wrong, message):
    with pytest.raises(DError) as caught:
        run_script("BEGIN { exit(0); }", **{name: wrong})
    assert str(caught.value) == message


def test_macro_arguments_are_text():
    for call in (lambda: run_script("BEGIN { trace($1); exit(0); }", 5), lambda: trace("BEGIN { trace($1) }", None).__enter__()):
        with pytest.raises(DError, match=r"\$1 is (int|NoneType), not str"):
            call()


@pytest.mark.parametrize("text", ["\ud800", 'BEGIN { trace("\ud800"); exit(0); }'])
def test_what_is_no_text_is_refused(text):
    for call in (lambda: run_script(text), lambda: run_script("BEGIN { exit(0); }", text)):
        with pytest.raises(DError, match=r"has '\\ud800' at \d+, which is no character"):
            call()


@pytest.mark.parametrize("text", ["\0", "BEGIN { \0 }", "", "\udc80", 'BEGIN { trace("\udc80"); exit(0); }'])
def test_strange_text_is_no_other_error(text):
    assert run_script(text).status in (0, 1)
