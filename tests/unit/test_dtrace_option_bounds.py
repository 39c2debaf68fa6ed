"""Every option of `-x` at 0, -1, 10^9 and 2^63: set or refused in libdtrace's words, and bounded in memory."""

import resource
import sys

import pytest

from smartos.commands import run
from smartos.commands.system import System
from smartos.dtrace import options as table

NAMES = sorted({
    *table._FLAG, *table._UNFLAG, *table._TEXT, *table._CHOICE, *table._COUNT, *table._OUTSIDE, *table._RUNTIME, *table._DYNAMIC,
    "amin", "cpphdrs", "droptags", "lazyload", "version",
})  # fmt: skip
VALUES = ("0", "-1", str(10**9), str(1 << 63))
# What every option has an effect on: speculations, strings, stacks, aggregations, dynamic variables, time.
PROGRAM = """\
BEGIN {
    self->s = speculation();
    @a[execname, stack(), ustack(), jstack()] = quantize(pid);
    stack(); ustack(); jstack(); printf("%s", execname); tracemem(&`physmem, 8);
    x[pid, execname] = strjoin(execname, "x");
}
BEGIN { speculate(self->s); trace(1); }
BEGIN { commit(self->s); }
tick-1s { @b = count(); }
tick-3s { exit(0); }
"""
REFUSED = {  # what is refused though it is a number that the option's kind takes
    ("aggsize", "0"): "could not enable tracing: Enabling exceeds size of buffer",
    ("specsize", "0"): "could not enable tracing: Enabling exceeds size of buffer",
    ("nspec", "1000000000"): "could not enable tracing: Not enough space",
    ("strsize", "0"): "failed to enable 'BEGIN ': DIF program content is invalid",
    ("strsize", "1000000000"): "failed to enable 'BEGIN ': DIF program content is invalid",
    ("grabanon", "0"): "could not enable tracing: No anonymous tracing state",
    ("grabanon", "1000000000"): "could not enable tracing: No anonymous tracing state",
    ("version", "0"): "failed to set -x version: Requested version is not supported by compiler",
} | {
    ("version", value): "failed to set -x version: Version is not properly formatted or is too large" for value in VALUES[1:]
}  # fmt: skip
WORDS = {*table._OUTSIDE, *table._TEXT, "lazyload", "droptags"} - {"cpphdrs", "stdc"}  # their value is any text
MEMORY = 256 << 20  # bytes that a run may add to the most that this process has used


def expected(name: str, value: str) -> str:
    """What dtrace says on stderr; nothing where the option is set and the program runs."""
    if (name, value) in REFUSED:
        return f"dtrace: {REFUSED[name, value]}\n"
    number = int(value)
    if name in WORDS:
        wrong = False
    elif name in table._COUNT:
        wrong = number < (name != "pgmax")
    elif {**table._RUNTIME, **table._DYNAMIC}.get(name) in ("flag", "size", "rate"):
        wrong = not 0 <= number < 1 << 63
    else:
        wrong = True  # a flag without a value, or one word of a few
    return f"dtrace: failed to set -x {name}: Invalid value for specified option\n" if wrong else ""


def peak() -> int:
    """The most memory that this process has used, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


@pytest.mark.parametrize("name", NAMES)
def test_an_option_at_its_ends(name, tmp_path):
    system, before = System(tmp_path, cachefile="none"), peak()
    for value in VALUES:
        done = run(["dtrace", "-q", "-x", f"{name}={value}", "-n", PROGRAM], system)
        wanted = expected(name, value)
        if wanted:
            assert (done.out, done.err, done.status) == ("", wanted, 1), value
        else:
            assert "failed" not in done.err.replace("failed speculation", "") and "could not" not in done.err, (value, done.err)
            assert done.status == (124 if "stopped after" in done.err else 0), (value, done.err)
    assert peak() - before < MEMORY
    system.close()


@pytest.mark.parametrize(("value", "message"), [
    ("1e9", "Invalid value"), ("0x10", ""), ("16k", "Invalid value"), ("", "1 failed speculation"), (str(10**30), "Invalid value"),
    ("9" * 5000, "Invalid value"),
])  # fmt: skip
def test_how_a_number_of_speculations_may_be_written(value, message, tmp_path):
    system = System(tmp_path, cachefile="none")
    assert message in run(["dtrace", "-q", "-x", f"nspec={value}", "-n", PROGRAM], system).err
    system.close()


def test_as_many_speculations_as_fit_cost_nothing_before_they_are_used(tmp_path):
    system, before = System(tmp_path, cachefile="none"), peak()
    assert run(["dtrace", "-q", "-x", "nspec=400000", "-n", PROGRAM], system).status == 0
    assert peak() - before < 16 << 20
    system.close()
