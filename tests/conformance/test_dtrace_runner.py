"""The runners themselves, over a small suite of our own: they tell what passes from what does not, and say why."""

import subprocess
import sys
from pathlib import Path

import pytest
from dtrace_programs import SuiteMissing, suite_folder
from dtrace_run import CRASHED, HANGS, Done
from dtrace_scripts import Script, check, scripts
from dtrace_suite import Verdict, passed, run_suite, table

OURS = {
    "aggs/tst.good.d": "#pragma D option quiet\nBEGIN { trace(1 + 1); exit(0); }\n",
    "aggs/tst.good.d.out": "2\n",
    "aggs/tst.status.d": "BEGIN { exit(3); }\n",
    "aggs/tst.output.d": "#pragma D option quiet\nBEGIN { trace(3); exit(0); }\n",
    "aggs/tst.output.d.out": "4\n",
    "aggs/err.D_SYNTAX.good.d": "BEGIN { trace( }\n",
    "aggs/err.D_SYNTAX.other.d": "BEGIN { trace(nowhere); }\n",
    "aggs/err.none.d": "BEGIN { exit(0); }\n",
    "aggs/err.exit.d": "BEGIN { exit(1); }\n",
    "drops/drp.DTRACEDROP_DBLERROR.good.d": "BEGIN, ERROR { trace(*(int *)NULL); }\nBEGIN { exit(0); }\n",
    "drops/drp.DTRACEDROP_DYNAMIC.none.d": "BEGIN { exit(0); }\n",
    "pid/tst.args.d": "BEGIN { exit(0); }\n",
    "io/tst.fds.d": "BEGIN { exit(0); }\n",
    "io/tst.fds.c": "int main() { return 0; }\n",
    "misc/tst.shell.ksh": "test $# = 1 || exit 2\n$1 -qn 'BEGIN { trace(5); exit(0); }'\n",
    "misc/tst.shell.ksh.out": "5\n",
    "misc/tst.lost.ksh": "exit 7\n",
}
WANTED = {
    "aggs/tst.good.d": "pass", "aggs/tst.status.d": "FAIL", "aggs/tst.output.d": "FAIL", "aggs/err.D_SYNTAX.good.d": "pass",
    "aggs/err.D_SYNTAX.other.d": "FAIL", "aggs/err.none.d": "FAIL", "aggs/err.exit.d": "pass",
    "drops/drp.DTRACEDROP_DBLERROR.good.d": "pass", "drops/drp.DTRACEDROP_DYNAMIC.none.d": "FAIL", "pid/tst.args.d": "n/a",
    "io/tst.fds.d": "n/a", "misc/tst.shell.ksh": "pass", "misc/tst.lost.ksh": "FAIL",
}  # fmt: skip


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "common"
    for name, text in OURS.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


@pytest.fixture(scope="module")
def verdicts(suite: Path) -> dict[str, Verdict]:
    return {one.program.name: one for one in run_suite(suite)}


def test_every_program_is_judged_as_the_suites_own_runner_judges(verdicts: dict[str, Verdict]) -> None:
    assert {name: one.result for name, one in verdicts.items()} == WANTED


def test_a_failure_says_why(verdicts: dict[str, Verdict]) -> None:
    assert verdicts["aggs/tst.status.d"].reason.startswith("status 3 instead of 0")
    assert verdicts["aggs/tst.output.d"].reason == "stdout differs: line 1: want b'4', got b'3'"
    assert verdicts["aggs/err.D_SYNTAX.other.d"].reason.startswith("no [D_SYNTAX]")
    assert "C" in verdicts["io/tst.fds.d"].reason


def test_the_share_counts_what_applies(verdicts: dict[str, Verdict]) -> None:
    assert passed(list(verdicts.values())) == pytest.approx(5 / 11)
    assert table(list(verdicts.values())).splitlines()[-1].split() == ["total", "5", "6", "2", "45.5%"]


def test_too_small_a_share_is_the_exit_status(suite: Path) -> None:
    runner = [sys.executable, str(Path(__file__).with_name("dtrace_suite.py")), "--suite", str(suite)]
    done = subprocess.run([*runner, "--folder", "aggs"], capture_output=True, text=True)
    assert done.returncode == 1 and "aggs/tst.output.d  stdout differs" in done.stdout
    assert subprocess.run([*runner, "--only", "good"], capture_output=True).returncode == 0
    nothing = subprocess.run([*runner[:-1], str(suite / "aggs")], capture_output=True, text=True)
    assert nothing.returncode == 2 and "no suite there" in nothing.stderr


def test_a_git_directory_is_unpacked(suite: Path, tmp_path: Path) -> None:
    place = tmp_path / "usr/src/cmd/dtrace/test/tst/common/aggs"
    place.mkdir(parents=True)
    (place / "tst.good.d").write_text(OURS["aggs/tst.good.d"])
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false", "-C", str(tmp_path)]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
        subprocess.run([*git, *words], check=True)
    found = suite_folder(tmp_path / ".git", tmp_path / "out")
    assert (found / "aggs/tst.good.d").read_text() == OURS["aggs/tst.good.d"]
    with pytest.raises(SuiteMissing, match="no suite there"):
        suite_folder(tmp_path / "out" / "usr" / "src" / "cmd" / "dtrace" / "test" / "tst" / "common" / "aggs", tmp_path)


def test_a_traceback_and_a_program_without_end_have_their_own_status(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import dtrace_run

    def crash(*_: object) -> int:
        raise KeyError("x")

    def spin(*_: object) -> int:
        while True:
            pass

    monkeypatch.setattr(dtrace_run, "_child", crash)
    done = dtrace_run.run(["-V"], tmp_path)
    assert done.status == CRASHED and b"KeyError" in done.err
    monkeypatch.setattr(dtrace_run, "_child", spin)
    assert dtrace_run.run(["-V"], tmp_path, seconds=1) == Done(HANGS, b"", b"")


def test_scripts_are_compiled_and_an_absent_probe_is_no_failure(tmp_path: Path) -> None:
    texts = {
        "good.d": "#!/usr/sbin/dtrace -qs\nBEGIN { trace($1); }\n",
        "absent.d": "#!/usr/sbin/dtrace -s\nnowhere:::probe { trace(arg0); }\n",
        "both.d": "nowhere:::probe { trace(1 +); }\n",
        "wrong.d": "BEGIN { trace(nothing); }\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    found = {script.label: check(script) for script in scripts(tmp_path, tmp_path)}
    assert {name: (one.result, one.parses) for name, one in found.items()} == {
        "absent.d": ("probe", True), "both.d": ("FAIL", False), "good.d": ("compiles", True), "wrong.d": ("FAIL", True),
    }  # fmt: skip
    assert Script(tmp_path / "good.d", "good.d").options() == ["-q"]
