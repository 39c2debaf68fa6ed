"""dtrace(1M): options, messages, exit statuses."""

from io import BytesIO

import pytest

from smartos.commands import run
from smartos.commands.system import System


@pytest.fixture
def system(tmp_path):
    made = System(tmp_path, cachefile="none")
    yield made
    made.close()


def dtrace(system, *words, stdin=b""):
    return run(["dtrace", *words], system, stdin=BytesIO(stdin).read)


def test_usage(system):
    done = dtrace(system)
    assert done.status == 2 and done.err.startswith("Usage: dtrace [-32|-64] [-aACeFGhHlqSvVwZ] [-b bufsz]")
    assert dtrace(system, "-k").err.startswith("dtrace: illegal option -- k\nUsage:")
    assert dtrace(system, "-n").err.startswith("dtrace: option requires an argument -- n\n")


def test_version(system):
    assert dtrace(system, "-V").out == "dtrace: Sun D 1.14\n"


def test_only_one_mode(system):
    assert dtrace(system, "-l", "-V") == type(dtrace(system, "-V"))(
        err="dtrace: only one of the [-AGhlV] options can be specified at a time\n", status=2)  # fmt: skip


def test_a_one_liner(system):
    done = dtrace(system, "-n", 'BEGIN { printf("%s %d", $$1, $2); exit(3) }', "word", "7")
    assert done.err == "dtrace: description 'BEGIN ' matched 1 probe\n" and done.status == 3
    assert done.out == f"CPU     ID                    FUNCTION:NAME\n  0      1 {':BEGIN':>32} word 7\n\n"


def test_a_script_and_its_name(system):
    (system.folder / "x.d").write_text("#!/usr/sbin/dtrace -s\nBEGIN, END { trace($$0); exit(0) }\n")
    done = dtrace(system, "-qs", "x.d")
    assert (done.err, done.status) == ("", 0) and "x.d" in done.out
    assert dtrace(system, "-s", "x.d").err == "dtrace: script 'x.d' matched 2 probes\n"


def test_a_script_from_stdin(system):
    assert dtrace(system, "-qs", "/dev/stdin", stdin=b'BEGIN { printf("in"); exit(0) }').out == "in\n"


def test_errors_name_what_was_compiled(system):
    (system.folder / "bad.d").write_text("BEGIN\n{\n  trace(x);\n}\n")
    assert dtrace(system, "-s", "bad.d").err == (
        "dtrace: failed to compile script bad.d: line 3: failed to resolve x: Unknown variable name\n")  # fmt: skip
    done = dtrace(system, "-xerrtags", "-n", "BEGIN { trace(x) }")
    assert done.status == 1 and done.err == (
        "dtrace: invalid probe specifier BEGIN { trace(x) }: [D_IDENT_UNDEF] in action list: failed to resolve x: Unknown variable name\n"
    )


@pytest.mark.parametrize(("words", "message"), [
    (("-s", "none.d"), "failed to open none.d: No such file or directory"),
    (("-x", "foo=1"), "failed to set -x foo: Invalid option name"),
    (("-b", "10zz"), "failed to set -b 10zz: Invalid value for specified option"),
    (("-n", "BEGIN { panic() }"), "could not enable tracing: Destructive actions not allowed"),
    (("-q",), "no probes specified"),
    (("-a",), "could not enable tracing: No anonymous tracing state"),
    (("-c", "nosuch", "-n", "BEGIN"), "failed to execute nosuch: No such file or directory"),
    (("-p", "99999", "-n", "BEGIN"), "failed to grab pid 99999: no such process"),
    (("-p", "12x", "-n", "BEGIN"), "invalid pid: 12x"),
    (("-n", "nosuch:::"), "invalid probe specifier nosuch:::: probe description nosuch::: does not match any probes"),
])  # fmt: skip
def test_what_is_wrong_is_said(system, words, message):
    done = dtrace(system, *words)
    assert done.status == 1 and done.err.splitlines()[-1] == f"dtrace: {message}"


@pytest.mark.parametrize("option", ["-A", "-G", "-h", "-B", "-32"])
def test_what_is_left_out_is_refused_by_name(system, option):
    done = dtrace(system, option, "-n", "BEGIN")
    assert done.status == 1 and option in done.err and "here" in done.err


def test_a_list(system):
    done = dtrace(system, "-ln", "dtrace:::")
    assert done.out == (
        "   ID   PROVIDER            MODULE                          FUNCTION NAME\n"
        "    1     dtrace                                                     BEGIN\n"
        "    2     dtrace                                                     END\n"
        "    3     dtrace                                                     ERROR\n")  # fmt: skip
    assert len(dtrace(system, "-l").out.splitlines()) > 600


def test_a_list_with_types(system):
    done = dtrace(system, "-lvn", "proc:::create")
    assert "\n\tArgument Types\n\t\targs[0]: psinfo_t *\n\n" in done.out
    assert "\t\tNone\n" in dtrace(system, "-lvi", "1").out


def test_nothing_to_list(system):
    done = dtrace(system, "-l", "-n", "nosuch")
    assert done.status == 0 and done.err == "dtrace: failed to match :::nosuch: No probe matches description\n"


def test_compiling_alone(system):
    done = dtrace(system, "-en", "BEGIN { exit(0) }", "-n", "profile:::tick-1 { trace(execname) }", "-v")
    assert done.status == 0 and done.out.count("Stability attributes for description") == 2
    assert "profile:::tick-1\n\n\tProbe Description Attributes\n\t\tIdentifier Names: Evolving" in done.out


def test_intermediate_code(system):
    assert "DIFO 0x" in dtrace(system, "-Sen", "BEGIN { trace(1) }").err


def test_output_into_a_file(system):
    dtrace(system, "-qo", "out", "-n", 'BEGIN { printf("filed"); exit(0) }')
    done = dtrace(system, "-q", "-o", "out", "-n", 'BEGIN { printf("again"); exit(0) }')
    assert done.out == "" and (system.folder / "out").read_text() == "filed\nagain\n"


def test_a_command_runs_as_the_target(system):
    done = dtrace(system, "-qc", "echo hello", "-n", 'proc:::exit /pid == $target/ { printf("%s ends\\n", execname) }')
    assert done.out == "hello\necho ends\n\n" and done.status == 0
    assert "dtrace: pid 4712 exited with status 1" in dtrace(system, "-c", "false", "-n", "BEGIN").err


def test_a_command_s_own_events(system):
    done = dtrace(system, "-qn", "io:::start { @[execname] = count() }", "-c", "mkfile 64m a")
    assert done.status == 0
    done = dtrace(system, "-qn", "io:::start { @[execname] = count() }", "-c", "zpool create tank a")
    assert done.out.split()[0] == "zpool-tank" and int(done.out.split()[1]) > 10, "the pool's own process writes"
    done = dtrace(system, "-qn", "fbt:zfs:zfs_mkdir:entry, fbt:zfs:dnode_sync:entry { @[probefunc, execname] = count() }",
                  "-c", "mkdir tank:/new")  # fmt: skip
    counted = {tuple(line.split()[:2]) for line in done.out.splitlines() if line}
    assert counted == {("zfs_mkdir", "mkdir"), ("dnode_sync", "zpool-tank")}


def test_system_runs_commands(system):
    done = dtrace(system, "-qwn", 'BEGIN { system("echo %d %s", 4, "x"); system("nosuch"); exit(0) }')
    assert done.out == "4 x\nsh: nosuch: not found\n\n"


def test_buffers_that_come_out_smaller_are_told(system):
    assert "dtrace: buffer size lowered to 50m\n" in dtrace(system, "-b", "100t", "-n", "BEGIN { exit(0) }").err or (
        "lowered to" in dtrace(system, "-b", "100t", "-n", "BEGIN { exit(0) }").err)  # fmt: skip
    assert "dtrace: cleaning rate reduced to 5000 hz\n" in dtrace(system, "-xcleanrate=1ns", "-n", "BEGIN { exit(0) }").err


def test_a_library_of_one_s_own(system):
    (system.folder / "lib").mkdir()
    (system.folder / "lib" / "mine.d").write_text("inline int MINE = 41;\n")
    assert dtrace(system, "-L", "lib", "-qn", "BEGIN { printf(\"%d\", MINE + 1); exit(0) }").out == "42\n"


def test_destructive_actions_are_announced(system):
    assert dtrace(system, "-wn", "BEGIN { chill(1); exit(0) }").err.endswith("dtrace: allowing destructive actions\n")


def test_clocks_run_while_a_command_works(system):
    dtrace(system, "-qn", "BEGIN", "-c", "mkfile 64m a")
    done = dtrace(system, "-qn", "io:::start { @ = count() } tick-5000 { @t = count() }", "-c", "zpool create tank a")
    writes, ticks = sorted((int(word) for word in done.out.split()), reverse=True)
    assert writes > ticks >= 0 and done.status == 0


def test_an_output_file_is_opened_before_anything_is_enabled(system, monkeypatch):
    monkeypatch.setattr("smartos.commands.dtrace.main.Command._enable", lambda *_: pytest.fail("something was enabled"))
    done = dtrace(system, "-o", "no/such", "-n", "BEGIN { exit(0); }")
    assert (done.err, done.status) == ("dtrace: failed to open output file 'no/such': No such file or directory\n", 1)
    done = dtrace(system, "-o", "no/such", "-ln", "BEGIN")
    assert (done.out, done.err, done.status) == ("", "dtrace: failed to open output file 'no/such': No such file or directory\n", 1)


def test_an_output_file_is_not_touched_when_nothing_compiles(system):
    assert dtrace(system, "-o", "out", "-n", "BEGIN {").status == 1 and not (system.folder / "out").exists()


def test_an_output_file_gets_what_dtrace_writes_and_not_what_its_command_does(system):
    done = dtrace(system, "-qo", "out", "-c", "echo hello", "-n", 'proc:::exit { printf("ends"); }')
    assert (done.out, (system.folder / "out").read_text()) == ("hello\n", "ends\n")
    assert dtrace(system, "-o", "list", "-ln", "BEGIN").out == "" and (system.folder / "list").read_text().endswith("BEGIN\n")
    assert dtrace(system, "-o", "empty", "-en", "BEGIN").out == "" and (system.folder / "empty").read_text() == ""


@pytest.mark.parametrize(("mode", "value"), [("-Xa", "0"), ("-Xt", "0"), ("-Xc", "1"), ("-Xs", "none"), ("-xstdc=c", "1"), ("-q", "0")])
def test_conformance_of_the_preprocessor(system, mode, value):
    (system.folder / "x.d").write_text('#ifndef __STDC__\n#define __STDC__ "none"\n#endif\nBEGIN { trace(__STDC__); exit(0); }\n')
    assert dtrace(system, mode, "-Cqs", "x.d").out.split() == [value]


def test_an_unknown_conformance(system):
    assert dtrace(system, "-Xz", "-n", "BEGIN").err == "dtrace: failed to set -X z: Invalid value for specified option\n"


def test_a_script_called_minus_is_a_file(system):
    done = dtrace(system, "-qs", "-", stdin=b'BEGIN { printf("in"); exit(0) }')
    assert (done.out, done.err, done.status) == ("", "dtrace: failed to open -: No such file or directory\n", 1)
    (system.folder / "-").write_text('BEGIN { printf("file"); exit(0) }')
    assert dtrace(system, "-qs", "-", stdin=b"").out == "file\n"
    assert dtrace(system, "-qs", "/dev/fd/0", stdin=b'BEGIN { printf("in"); exit(0) }').out == "in\n"


def test_a_script_that_cannot_be_read(system):
    assert dtrace(system, "-s", ".").err == "dtrace: failed to open .: Is a directory\n"
