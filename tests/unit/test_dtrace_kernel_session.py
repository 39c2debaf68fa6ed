"""Whole programs in a kernel: BEGIN to END, faults, exit(), destructive actions, providers, kernel objects."""

import pytest

from smartos.dtrace import trace
from smartos.dtrace.errors import DError
from smartos.dtrace.options import Options
from smartos.dtrace.session import Session, run_script
from smartos.probes import acting, declare

PUT = declare("sdt:test:unit_put:unit-put", "int", "char *", "struct buf *")


def run(text, *args, **settings):
    return run_script(text, *args, workload="", **settings)


def test_begin_comes_first_and_end_last():
    done = run('END { printf("end\\n") } BEGIN { printf("begin\\n") } tick-1ms { printf("tick\\n"); exit(4) }', quiet=True)
    assert (done.out, done.status) == ("begin\ntick\nend\n\n", 4)


def test_nothing_is_left_that_could_fire():
    done = run('BEGIN { printf("a") } END { printf("b") }', quiet=True)
    assert (done.out, done.status) == ("a\nb\n", 0)


def test_after_exit_no_further_clause_of_begin_runs():
    assert run('BEGIN { printf("1") } BEGIN { exit(2) } BEGIN { printf("3") }', quiet=True).out == "1\n"


def test_end_may_change_the_status():
    assert run("BEGIN { exit(2) } END { exit(7) }").status == 7


def test_a_fault_fires_error_and_leaves_no_entry():
    done = run('ERROR { printf("%d %d %d", arg2, arg4, arg5); } BEGIN { trace(1); trace(*(int *)0x10); } BEGIN { exit(0) }', quiet=True)
    assert done.out == "2 1 16\n"
    assert "error on enabled probe ID 2 (ID 1: dtrace:::BEGIN): invalid address (0x10) in action #2" in done.err


def test_a_fault_in_error_is_only_counted():
    done = run("ERROR { trace(*(int *)0) } BEGIN { trace(1 / (arg0 - arg0)) } BEGIN { exit(0) }", quiet=True)
    assert "1 error in ERROR probe enabling" in done.err


def test_division_by_zero_says_where():
    done = run("int n; BEGIN { n = 1 / n } BEGIN { exit(0) }")
    assert "divide-by-zero in action #1 at DIF offset" in done.err


def test_destructive_actions_want_the_option():
    with pytest.raises(DError, match="Destructive actions not allowed"):
        with trace("BEGIN { panic() }"):
            pass
    assert run("BEGIN { chill(1000); exit(0) }", destructive=True).status == 0


def test_chill_lets_time_pass_but_not_too_much():
    done = run('BEGIN { t = timestamp; chill(400000000); printf("%d", (timestamp - t) / 1000000) } BEGIN { chill(400000000) } '
               "BEGIN { exit(0) }", destructive=True, quiet=True)  # fmt: skip
    assert done.out == "400\n" and "illegal operation" in done.err


def test_profile_fires_on_every_cpu_and_tick_on_one():
    done = run("profile-10 { @p = count() } tick-10 { @t = count() } tick-1s { exit(0) }", cpus=4)
    ticks, profiles = sorted(int(word) for word in done.out.split()[-2:])
    assert 9 <= ticks <= 10 and profiles == 4 * ticks


@pytest.mark.parametrize("name", ["tick-1ms", "tick-1000us", "tick-1000000nsec", "tick-1000hz", "tick-1000", "profile-1000hz"])
def test_the_same_rate_has_many_names(name):
    done = run(f"{name} {{ @ = count() }} tick-1s {{ exit(0) }}")
    assert abs(int(done.out.split()[-1]) - 1000) <= 1


@pytest.mark.parametrize("name", ["tick-1ns", "profile-10us", "tick-0", "tick-5001hz", "profile-1x"])
def test_what_fires_too_often_does_not_exist(name):
    done = run(f"{name} {{ }}")
    assert done.status == 1 and "does not match any probes" in done.err


def test_the_same_seed_gives_the_same_times():
    text = "BEGIN { trace(timestamp); trace(rand()); exit(0) }"
    assert run(text, seed=3).out == run(text, seed=3).out != run(text, seed=4).out


def test_arguments_become_words_strings_and_structures():
    with trace('sdt:test::unit-put { printf("%d %s %d %d|", arg0, stringof(args[1]), args[2]->b_bcount, args[2]->b_error) }', quiet=True) as t:
        PUT.fire(-3, "name", {"b_bcount": 512, "b_error": 5})
        PUT.fire(2, b"raw", None)
    assert t.output.startswith("-3 name 512 5|")
    assert "invalid address" in t.errors


def test_the_same_object_has_the_same_address():
    buf = {"b_bcount": 1}
    with trace("sdt:test::unit-put { @[arg2] = count() }") as t:
        for one in (buf, buf, {"b_bcount": 1}):
            PUT.fire(0, "", one)
    assert [line.split()[-1] for line in t.output.splitlines() if line] == ["1", "2"]


def test_who_acts_is_a_thread_for_the_library():
    with trace('sdt:test::unit-put { printf("%s %d %d %s %d", curpsinfo->pr_fname, curpsinfo->pr_pid, cpu, zonename, curlwpsinfo->pr_lwpid) }',
               quiet=True) as t:  # fmt: skip
        with acting(execname="worker", pid=42, tid=3, cpu=1, zonename="web"):
            PUT.fire(0, "", None)
    assert t.output.strip() == "worker 42 1 web 3"


def test_a_listener_is_gone_after_the_block():
    before = list(PUT.listeners)
    with trace("sdt:test::unit-put { @ = count() }"):
        assert len(PUT.listeners) > len(before)
    assert PUT.listeners == before


def test_a_program_that_does_not_compile_traces_nothing():
    with pytest.raises(DError):
        with trace("sdt:test::unit-put { trace(nothing) }"):
            pass
    assert not PUT.listeners


def test_times_of_a_model_keep_their_distances():
    with trace('int last; sdt:test::unit-put { printf("%d ", timestamp - last); last = timestamp }', quiet=True) as t:
        for at in (1_000, 6_000, 56_000):
            PUT.fire(0, "", None, timestamp=at)
    assert t.output.split()[1:] == ["5000", "50000"]


def test_buffers_are_made_smaller_or_refused():
    options = Options.command()
    options.set("bufsize", "100t")
    session = Session((), options, workload="")
    session.enable(session.compile("BEGIN { exit(0) }"))
    session.go()
    assert 0 < options.number("bufsize") <= 64 << 20
    options = Options.command()
    options.set("bufsize", "100t")
    options.set("bufresize", "manual")
    session = Session((), options, workload="")
    session.enable(session.compile("BEGIN { exit(0) }"))
    with pytest.raises(DError, match="Not enough space"):
        session.go()


def test_time_passes_while_the_block_waits():
    with trace('tick-1s { printf("%d ", walltimestamp / 1000000000) }', quiet=True) as t:
        t.wait(2.5)
    assert len(t.output.split()) == 2


@pytest.mark.parametrize("between", ["inline int i = a; ", "inline struct s t = v; ", "int f(int); ", "extern int e; ", "BEGIN { @x = count(); } ",
                                     "typedef int t; ", "enum { E }; ", "self int h; ", "inline int g[int n] = n; "])  # fmt: skip
def test_each_variable_has_a_number_of_its_own(between):
    text = f"struct s {{ int m; }}; struct s v; int a; {between} int b; BEGIN {{ a = 1; b = 2; c = 4; v.m = 8; printf(\"%d\", a + b + c + v.m); exit(0); }}"
    assert run(text, quiet=True).out.startswith("15\n"), run(text).err
