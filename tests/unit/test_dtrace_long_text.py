"""Numbers of thousands of digits and texts of megabytes, wherever a program or a command line may have one: an error in
libdtrace's words, or the number as C reads it, and no more memory than a few times the text."""

import tracemalloc

import pytest

from smartos.commands import run
from smartos.commands.system import System
from smartos.dtrace.parse.cpp import preprocess
from smartos.dtrace.session import run_script

NINES, HEX, OCTAL, ZEROS = "9" * 5000, "0x" + "f" * 5000, "0" + "7" * 5000, "0" * 5000
PLACES = (
    "BEGIN { trace(%s); exit(0); }", "BEGIN { trace($%s); exit(0); }", "BEGIN { trace($$%s); exit(0); }",
    "BEGIN { trace(arg%s); exit(0); }", "BEGIN { trace(args[%s]); exit(0); }", "tick-%s { exit(0); }", "profile-%sms { exit(0); }",
    "tick-%ss { exit(0); }", "#line %s\nBEGIN { exit(0); }", "# %s \"x.d\" 1\nBEGIN { exit(0); }", "#pragma D option nspec=%s\nBEGIN { exit(0); }",
    "#pragma D option version=%s\nBEGIN { exit(0); }", "int x;\n#pragma D binding \"%s\" x\nBEGIN { exit(0); }", "int x[%s]; BEGIN { exit(0); }",
    "struct s { int a : %s; }; BEGIN { exit(0); }", "enum e { A = %s }; BEGIN { exit(0); }", "BEGIN { stack(%s); exit(0); }",
    "BEGIN { ustack(1, %s); exit(0); }", "BEGIN { @ = lquantize(1, 0, %s, 1); exit(0); }", "BEGIN { @ = llquantize(1, 10, 0, 6, %s); exit(0); }",
    'BEGIN { printf("%%%sd", 1); exit(0); }', 'BEGIN { printf("%%.%sd", 1); exit(0); }', "BEGIN { tracemem(&`physmem, %s); exit(0); }",
    "BEGIN { exit(%s); }", 'BEGIN { trace(strtoll("%s")); exit(0); }', 'BEGIN { trace(json("[1]", "[%s]")); exit(0); }',
    'BEGIN { trace("\\x%s"); exit(0); }', "BEGIN { trace('\\x%s'); exit(0); }", 'BEGIN { setopt("nspec", "%s"); exit(0); }',
    "BEGIN { printf(\"%%s\", \"%s\"); exit(0); }", "BEGIN /%s/ { exit(0); }", "BEGIN { trace(`physmem%s); exit(0); }",
    "BEGIN { trace(-%s); exit(0); }", "BEGIN { trace(%sULL); exit(0); }", "BEGIN { trace(%s.5); exit(0); }", "BEGIN { trace(%se5); exit(0); }",
)  # fmt: skip


@pytest.mark.parametrize("digits", [NINES, HEX, OCTAL, ZEROS], ids=["decimal", "hexadecimal", "octal", "zeros"])
@pytest.mark.parametrize("place", PLACES, ids=range(len(PLACES)))
def test_a_number_of_thousands_of_digits(place, digits):
    done = run_script("#pragma D option maxtime=1s\n" + place % digits, quiet=True, workload="", destructive=True)
    assert done.status in (0, 1, 124, 255), done.err[:200]


@pytest.mark.parametrize("value", [NINES, HEX, OCTAL])
def test_a_macro_argument_of_thousands_of_digits(value):
    assert run_script("BEGIN { trace($1); exit(0); }", value).err == (
        f"dtrace: line 1: macro argument $1 constant {value} results in integer overflow\n"
    )
    assert run_script("BEGIN { trace($$1); exit(0); }", value, quiet=True).out.strip().startswith(value[:255])
    assert run_script("BEGIN { trace($1); exit(0); }", f"-{value}", quiet=True).out.strip().startswith(f"-{value[:254]}")  # a string


@pytest.mark.parametrize("words", [
    ("-p", NINES, "-n", "BEGIN"), ("-i", NINES), ("-b", NINES, "-n", "BEGIN { exit(0); }"), ("-n", f"$target == {NINES} {{ }}"),
    ("-x", f"version={NINES}", "-n", "BEGIN"), ("-x", f"iregs={NINES}", "-n", "BEGIN { exit(0); }"), ("-x", f"amin={NINES}", "-n", "BEGIN"),
    ("-n", "$1 { exit(0); }", NINES), ("-C", "-D", f"N={NINES}", "-s", "x.d"), ("-n", f"BEGIN {{ trace(${NINES}); }}"),
])  # fmt: skip
def test_a_command_line_with_thousands_of_digits(words, tmp_path):
    (tmp_path / "x.d").write_text("#if N > 1\n#endif\nBEGIN { exit(0); }\n")
    system = System(tmp_path, cachefile="none")
    assert run(["dtrace", *words], system).status in (0, 1)
    system.close()


def test_what_is_said_of_a_constant():
    assert run_script(f"BEGIN {{ trace({NINES}); }}").err == f"dtrace: line 1: constant {NINES} results in integer overflow\n"
    assert run_script(f"BEGIN {{ trace({ZEROS}7); exit(0); }}", quiet=True).out.strip() == "7"


LONG = 60_000
TEXTS = {
    "a string": 'BEGIN { trace("%s"); exit(0); }', "a format": 'BEGIN { printf("%s"); exit(0); }', "a character": "BEGIN { trace('%s'); }",
    "a name": "BEGIN { trace(%s); }", "a comment": "/* %s */ BEGIN { exit(0); }", "a description": "%s { exit(0); }",
    "an aggregation": "BEGIN { @%s = count(); exit(0); }", "a key": 'BEGIN { @["%s"] = count(); exit(0); }',
    "a predicate": 'BEGIN /execname == "%s"/ { exit(0); }', "an inline": 'inline string S = "%s"; BEGIN { trace(S); exit(0); }',
    "an option": "#pragma D option %s\nBEGIN { exit(0); }", "a file": '#line 1 "%s"\nBEGIN { exit(0); }', "a macro": "BEGIN { trace($%s); }",
}  # fmt: skip
FILLS = {"letters": "x", "escapes": "\\n", "blanks": " ", "lines": "\\\n"}


def cost(call):
    """The most memory that `call` takes, in bytes, and what it gives."""
    run_script("BEGIN { exit(0); }", workload="")  # what is kept for ever
    tracemalloc.start()
    try:
        done = call()
        return tracemalloc.get_traced_memory()[1], done
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("place", TEXTS)
def test_a_long_text_takes_a_few_times_its_size(place, fill):
    text = TEXTS[place] % (FILLS[fill] * (LONG // len(FILLS[fill])))
    most, done = cost(lambda: run_script(text, quiet=True, workload=""))
    assert done.status in (0, 1) and most < 24 * LONG + (1 << 19), f"{most / LONG:.0f} bytes a character"


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("place", ['trace("%s");', "/* %s */", "#define S '%s'", '#define S "%s"\nS', "%s"])
def test_the_preprocessor_too(place, fill):
    text = place % (FILLS[fill] * (LONG // len(FILLS[fill])))
    assert cost(lambda: preprocess(text))[0] < 24 * LONG + (1 << 19)
