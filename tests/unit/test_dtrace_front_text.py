"""What is done to a program's text: control lines, globs of descriptions, escapes, the preprocessor."""

import pytest

from smartos.dtrace.check.globals import new_environment
from smartos.dtrace.environment import NoProbes
from smartos.dtrace.errors import DError
from smartos.dtrace.ident import Stability
from smartos.dtrace.match import glob, matches
from smartos.dtrace.parse.cpp import Preprocessor, preprocess
from smartos.dtrace.parse.macros import strtoull, unescape
from smartos.dtrace.parse.parser import parse
from smartos.dtrace.tree import ProbeDesc


def wrong(text: str) -> tuple[str, str]:
    with pytest.raises(DError) as caught:
        parse(text, new_environment(empty=True))
    return caught.value.tag, str(caught.value)


@pytest.mark.parametrize(
    ("text", "tag", "message"),
    [
        ("#foo\n", "D_PRAGCTL_INVAL", "line 1: invalid control directive: #foo"),
        ("#pragma D foo\n", "D_PRAGMA_INVAL", "line 1: invalid D pragma: foo"),
        ("#pragma D option\n", "D_PRAGMA_MALFORM", "line 1: malformed #pragma option <option>=<val>"),
        ("#pragma D option quiet more\n", "D_PRAGMA_MALFORM", "line 1: superfluous arguments specified for #pragma option"),
        ("#pragma D option nosuch\n", "D_PRAGMA_OPTSET", "line 1: failed to set option 'nosuch': Invalid option name"),
        ("#pragma D attributes Stable/Stable/Common x\n", "D_PRAGMA_UNUSED", "line 1: unused #pragma attributes"),
        ("#pragma D attributes Nice/Stable/Common x\n", "D_PRAGMA_INVAL",
         "line 1: invalid attributes specified by #pragma attributes"),
        ("#pragma D attributes Stable/Stable/Common pid\n", "D_PRAGMA_SCOPE",
         "line 1: #pragma attributes cannot modify entity defined outside program scope"),
        ("#pragma D binding \"1.x\" x\n", "D_PRAGMA_INVAL", "line 1: invalid version string specified by #pragma binding"),
        ("#pragma D binding \"\u00b2\" x\n", "D_PRAGMA_INVAL", "line 1: invalid version string specified by #pragma binding"),
        ("BEGIN { trace(.\u00b2); }", "D_SYNTAX", 'line 1: syntax error near "."'),
        ("\n#error no way\n", "D_PRAGERR", "line 2: #error: no way "),
        ("#pragma D depends_on provider nosuch\n", "D_PRAGMA_DEPEND", "line 1: program requires provider nosuch"),
        ("#pragma D depends_on module nosuch\n", "D_PRAGMA_DEPEND", "line 1: program requires module nosuch"),
        ("#pragma D depends_on library io.d\n", "D_PRAGMA_DEPEND", "line 1: main program may not explicitly depend on a library"),
        ("#line x\n", "D_PRAGMA_MALFORM", 'line 1: malformed #line <line> [ ["file"] state ]'),
        ("# 12 \"foo.d\"\nBEGIN {", "D_SYNTAX", '"foo.d", line 12: syntax error near end of input'),
        ("#line 12\nBEGIN {", "D_SYNTAX", "line 13: syntax error near end of input"),
    ],
)  # fmt: skip
def test_bad_control_lines(text: str, tag: str, message: str) -> None:
    assert wrong(text) == (tag, message)


def test_pragmas_that_are_obeyed() -> None:
    env = new_environment()
    parse('#pragma ident "x"\n#pragma whatever\n#pragma D attributes Evolving/Unstable/ISA x\n#pragma D option quiet\n'
          '#pragma D depends_on provider dtrace\nint x;\n#pragma D binding "1.2" x\nBEGIN { }\n', env)  # fmt: skip
    assert env.globals["x"].attr == Stability(5, 4, 4) and env.globals["x"].version == (1, 2, 0)
    assert "quiet" in env.options and env.argref


def test_an_older_version_of_d_knows_fewer_names() -> None:
    env = new_environment()
    parse("#pragma D option version=1.0\nint strstr;\nBEGIN { }\n", env)
    assert env.globals["strstr"].id == 0x500 and "json" not in env.globals and "pid" in env.globals


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("*", ["", "x"], []), ("a*", ["a", "abc"], ["ba", ""]), ("*c", ["c", "abc"], ["cb"]), ("a?c", ["abc"], ["ac", "abbc"]),
        ("[a-c]x", ["ax", "cx"], ["dx", "x"]), ("[!a-c]x", ["dx"], ["ax"]), ("\\*", ["*"], ["a"]), ("a**b", ["ab", "axb"], ["a"]),
        ("[]a]", ["]", "a"], ["b"]), ("[a", [], ["a", "[a"]), ("*read*:", [], ["read"]), ("[a\\-c]", ["-", "a", "c"], ["b"]),
    ],
)  # fmt: skip
def test_globs(pattern: str, yes: list[str], no: list[str]) -> None:
    assert [text for text in yes + no if glob(text, pattern)] == yes


def test_globs_end() -> None:
    with pytest.raises(DError, match="too many globbing"):
        glob("a" * 60, "*a*a*a*a*a*a*a*a*a*a*b")
    assert not glob("a" * 120, "*a*a*a*a*a*a*a*b")


def test_descriptions_name_probes() -> None:
    probes = NoProbes()
    assert [probe.name for probe in probes.matching(ProbeDesc(name="E*"))] == ["END", "ERROR"]
    assert [probe.name for probe in probes.matching(ProbeDesc(provider="dtrace"))] == ["BEGIN", "END", "ERROR"]
    assert not list(probes.matching(ProbeDesc())) and matches(ProbeDesc(id=2), probes.all[1])


def test_numbers_and_escapes() -> None:
    assert strtoull("0x1fz") == (31, "z", False) and strtoull("089") == (0, "89", False) and strtoull("-1") == (2**64 - 1, "", False)
    assert strtoull("99999999999999999999")[2] and strtoull("x") == (0, "x", False)
    assert unescape("\\a\\177\\x\\\\\\\"\\'\\") == b"\x07\x7f\0\\\"\\'"


def test_the_preprocessor_keeps_lines_and_leaves_pragmas() -> None:
    text = "#!/usr/sbin/dtrace -Cs\n#pragma D option quiet\n#define N 3\n#define ADD(a, b) ((a) + (b)) \\\n + N\n/* N\n N */\nN ADD(1, N) \"N\"\n"
    assert preprocess(text).split("\n") == ["", "#pragma D option quiet", "", "", "", "", "", "3 ((1) + (3))  + 3 \"N\"", ""]


def test_a_macro_s_call_may_go_on_in_the_next_line() -> None:
    assert preprocess("#define F(a, b) a+b\nF(1,\n  2) x\ny\n").split("\n") == ["", "1+2 x", "", "y", ""]


@pytest.mark.parametrize(
    ("condition", "truth"),
    [
        ("#if 1", True), ("#if 0 || !defined(X)", True), ("#if defined(__SUNW_D) && __SUNW_D_VERSION > 1", True),
        ("#ifdef X", False), ("#ifndef X", True), ("#if X", False), ("#if (3 * 4) == 12", True), ("#if 'a' == 97", True),
    ],
)  # fmt: skip
def test_conditions(condition: str, truth: bool) -> None:
    assert preprocess(f"{condition}\nyes\n#else\nno\n#endif\n").split("\n")[1 if truth else 3] == ("yes" if truth else "no")


@pytest.mark.parametrize("text", ["#if 1\n", "#else\n", "#define 3\n", "#include <nosuch.h>\n", "#error x\n", "#if 1/0\n#endif\n",
                                  "#if\n#endif\n", "#if 1\n#else\n#else\n#endif\n", "#define f(a) a\nf(1, 2)\n#define g(a, b) a\ng(1)\n"])  # fmt: skip
def test_what_the_preprocessor_refuses(text: str) -> None:
    with pytest.raises(DError, match="Preprocessor failed to process input program"):
        preprocess(text)


def test_macros_do_not_expand_themselves_and_do_not_grow_for_ever() -> None:
    assert preprocess("#define a b\n#define b a\na\n").split("\n")[2] == "a"
    bomb = "#define a0 xxxxxxxxxx\n" + "".join(f"#define a{n} a{n - 1} a{n - 1} a{n - 1}\n" for n in range(1, 40)) + "a39\n"
    with pytest.raises(DError):
        Preprocessor().run(bomb)


def test_included_files_are_c(tmp_path) -> None:  # noqa: ANN001
    (tmp_path / "x.h").write_text("#define N 5\ntypedef int from_c;\n")
    env = new_environment()
    parse(preprocess('#include "x.h"\nfrom_c x;\nBEGIN { trace(N); }\n', include=[str(tmp_path)]), env)
    assert "from_c" in env.types.scopes["C"] and env.globals["x"].type is env.types.scopes["C"]["from_c"]
    with pytest.raises(DError) as caught:
        parse(preprocess('#include <x.h>\nBEGIN { +; }\n', include=[str(tmp_path)]), new_environment())
    assert str(caught.value) == 'line 2: syntax error near ";"'


@pytest.mark.parametrize(("text", "wanted"), [
    ("#define S(x) #x\nS(a  +  \"b\\n\" )", '"a + \\"b\\\\n\\""'), ("#define S(x) # x\nS()", '""'), ("#define S(x) #x\nS(')')", "\"')'\""),
    ("#define N 3\n#define S(x) #x\n#define T(x) S(x)\nS(N) T(N)", '"N" "3"'),
    ("#define C(a, b) a##b\nC(tr, ace)(1)", "trace(1)"), ("#define C(a, b) a ## b\nC(x,)C(,y)C(,)z", "xyz"),
    ("#define N 3\n#define C(a, b) a##b\n#define D(a, b) C(a, b)\nC(N, N) D(N, N)", "NN 33"),
    ("#define AB 7\n#define C(a, b) a##b\nC(A, B)", "7"), ("#define P x ## y\nP", "xy"), ("#define H #x\nH", "#x"),
    ("#define V(...) f(__VA_ARGS__)\nV(1, 2) V()", "f(1, 2) f()"), ("#define V(a, ...) a[__VA_ARGS__]\nV(x, 1, (2, 3))", "x[1, (2, 3)]"),
    ("#define V(a, ...) f(a, ##__VA_ARGS__)\nV(1) V(1, 2)", "f(1) f(1,2)"), ("#define V(...) #__VA_ARGS__\nV(a, \"b\")", '"a, \\"b\\""'),
    ("#define P(f, ...) printf(f, __VA_ARGS__)\nP(\"%d\", 1);", 'printf("%d", 1);'),
    ("\n__LINE__ __FILE__\n__LINE__", '2 "/dev/fd/0"\n3'), ("#define L __LINE__\n\nL\n#line 70 \"x.d\"\nL __FILE__", "3\n#line 70 \"x.d\"\n70 \"x.d\""),
    ("#define F(a) a __LINE__\nF(\n1)\n__LINE__", "1 2\n\n4"), ("#ifdef __LINE__\nyes\n#endif", "yes"), ("#if __LINE__ == 1\nyes\n#endif", "yes"),
    ("#define g(x) [x]\n#define f g\nf(1)", "[1]"), ("#define f(x) x f\nf(1)(2)", "1 f(2)"), ("#define a a b\na", "a b"),
    ("#define f(x) (x)\nf(f(1)) f", "((1)) f"), ("#define EMPTY\n#define f(x) <x>\nf(EMPTY)", "<>"), ("#define f() 1\nf() f( )", "1 1"),
    ("#define S(...) #__VA_ARGS__\n#define T(...) S(__VA_ARGS__)\nT(a,b)", '"a,b"'),
])  # fmt: skip
def test_operators_and_names_of_the_preprocessor(text: str, wanted: str) -> None:
    kept = [line for line in preprocess(text).split("\n")]
    assert "\n".join(kept).strip("\n").replace("\n\n", "\n") == wanted.replace("\n\n", "\n")


def test_an_included_file_has_its_own_name_and_lines(tmp_path) -> None:  # noqa: ANN001
    (tmp_path / "x.h").write_text("\n__LINE__ __FILE__\n")
    lines = preprocess('#include "x.h"\n__LINE__ __FILE__\n', include=[str(tmp_path)]).split("\n")
    assert f'2 "{tmp_path}/x.h"' in lines and '2 "/dev/fd/0"' in lines


@pytest.mark.parametrize(("mode", "value"), [("a", "0"), ("t", "0"), ("c", "1"), ("s", "__STDC__"), ("", "0")])
def test_what_stdc_is_by_the_mode(mode: str, value: str) -> None:
    assert preprocess("__STDC__", **({"stdc": mode} if mode else {})) == value
    assert preprocess("__STDC__", define=["__STDC__=9"], **({"stdc": mode} if mode else {})) == ("9" if mode == "s" else value)


@pytest.mark.parametrize("text", ["#define f(x) #y\nf(1)\n", "#define f(x) ##x\nf(1)\n", "#define f(x) x##\nf(1)\n", "#define f(..., x) x\n",
                                  "#define f(x, x) x\n", "#define f(x\n", "#define f(1) x\n", "#define defined 1\n"])  # fmt: skip
def test_macros_that_are_none(text: str) -> None:
    with pytest.raises(DError, match="Preprocessor failed"):
        preprocess(text)


def test_a_macro_of_the_command_line_may_have_parameters() -> None:
    assert preprocess("F(2) G N", define=["F(x)=x+x", "G", "N=5"]) == "2+2 1 5"
