"""How long a run may take: one bound for every program, which says when it has ended one, and which can be set."""

import pytest

from smartos.commands import run
from smartos.commands.system import System
from smartos.dtrace import trace
from smartos.dtrace.bound import MAXTIME, SECOND, STOPPED
from smartos.dtrace.options import Options
from smartos.dtrace.session import run_script

COUNT = "profile-997 { @ = count(); } "


@pytest.fixture
def system(tmp_path):
    made = System(tmp_path, cachefile="none")
    yield made
    made.close()


def test_a_run_that_the_bound_ends_says_so():
    done = run_script(COUNT + "tick-10m { exit(7); }", workload="")
    assert done.out.split() == [str(997 * MAXTIME // SECOND - 1)] or done.out.split() == [str(997 * MAXTIME // SECOND)]
    assert done.err == (
        "dtrace: stopped after 100 seconds of virtual time, the longest that a run may take: "
        "-x maxtime=1h sets another bound, maxtime=0 none\n"
    )
    assert done.status == STOPPED == 124


@pytest.mark.parametrize("end", ["", "tick-10m { exit(7); }", "BEGIN /0/ { exit(7); }"])
def test_the_bound_is_one_whether_or_not_exit_is_in_the_text(end):
    assert run_script("tick-1s { @ = count(); } " + end, workload="").out.split() in (["99"], ["100"])


def test_the_bound_can_be_set(system):
    done = run(["dtrace", "-q", "-x", "maxtime=11m", "-n", COUNT + "tick-10m { exit(7); }"], system)
    assert (int(done.out), done.err, done.status) == (598_200, "", 7)


def test_the_bound_can_be_lifted(system):
    done = run(["dtrace", "-q", "-x", "maxtime=0", "-n", "tick-1s { @ = count(); } tick-1h { exit(7); }"], system)
    assert (int(done.out), done.err, done.status) == (3600, "", 7)


def test_a_program_may_set_it():
    done = run_script("#pragma D option maxtime=2s\ntick-1s { trace(1); }", quiet=True, workload="")
    assert done.out.count("1") == 2 and "stopped after 2 seconds of virtual time" in done.err and done.status == STOPPED


def test_python_may_set_it():
    done = run_script("tick-1s { trace(1); }", quiet=True, workload="", seconds=2.5)
    assert done.out.count("1") == 2 and "stopped after 2500000000 nanoseconds" in done.err and done.status == STOPPED
    options = Options.command()
    options.set("maxtime", "3s")
    assert "stopped after 3 seconds" in run_script("tick-1s { }", workload="", options=options).err


@pytest.mark.parametrize("value", ["-1", "1x", str(1 << 63)])
def test_a_bound_that_is_none_is_refused(system, value):
    done = run(["dtrace", "-x", f"maxtime={value}", "-n", COUNT], system)
    assert (done.err, done.status) == ("dtrace: failed to set -x maxtime: Invalid value for specified option\n", 1)


def test_exit_at_the_bound_is_an_exit():
    done = run_script("#pragma D option maxtime=3s\ntick-3s { exit(5); }", workload="")
    assert (done.err, done.status) == ("", 5)


def test_a_run_that_ends_by_itself_says_nothing():
    assert (run_script("BEGIN { exit(3); }").err, run_script("BEGIN { exit(3); }").status) == ("", 3)
    assert (run_script("BEGIN { trace(1); }", workload="").err, run_script("BEGIN { trace(1); }", workload="").status) == ("", 0)


def test_waiting_leaves_out_no_event():
    with trace("profile-997 { @ = count(); }", quiet=True) as t:
        t.wait(100)
    assert int(t.output) in (99_699, 99_700)
